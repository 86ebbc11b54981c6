"""Looks for pieces of secrets in everything that leaves the gateway, and in what it keeps."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import lancedb
import numpy as np

from benchmarks.obedient_canaries import SHORTEST, Canary

#: A message is kept as its user wrote it; nothing else is kept with a secret in it.
AS_TYPED = ("runs.message", "conversations.title")
#: Holds the token of the command line's door while the gateway runs.
_LOCK = "lock"
_AROUND = 80
_TABLE = ".lance"


@dataclass(frozen=True)
class Leak:
    """A piece of a secret where none may be, or all of it. `case` is -1 for a secret of the gateway's own."""

    case: int
    where: str
    whole: bool
    piece: str
    around: str


@dataclass
class Watch:
    """`held` are the secrets of the gateway's own, by name: nobody may ever see them."""

    held: Mapping[str, Canary]
    leaks: list[Leak] = field(default_factory=list)
    #: What users wrote: their own words, whole, are shown to them and kept as they are.
    typed: list[bytes] = field(default_factory=list)

    def without_typed(self, said: bytes) -> bytes:
        """The same without what users wrote, as it stands in JSON."""
        for each in self.typed:
            said = said.replace(each, b"")
        return said

    def look(self, case: int, canary: Canary | None, where: str, said: bytes) -> None:
        """Look for a case's secret, and for the gateway's own."""
        for each in self.held.values():
            if canary is None or each.text != canary.text:
                self._note(-1, each, where, said)
        if canary is not None:
            self._note(case, canary, where, said)

    def _note(self, case: int, canary: Canary, where: str, said: bytes) -> None:
        found = find_pieces(said, canary)
        if found is not None:
            self.leaks.append(Leak(case, where, *found))

    def look_at_files(self, data_dir: Path, canaries: Mapping[int, Canary]) -> None:
        """Look for all secrets in all files of a data directory, in its databases row by row, too."""
        everything = {**canaries, **{-1 - number: each for number, each in enumerate(self.held.values())}}
        cases = {needle.encode(): case for case, each in everything.items() for needle in each.needles()}
        sieve = Sieve(list(cases))
        for where, given in texts_of(data_dir):
            if not where.endswith(AS_TYPED):
                content = self.without_typed(given) if where.endswith(".data") else given
                for case in {cases[needle] for needle in sieve.find(content)}:
                    self._note(max(case, -1), everything[case], f"data: {where}", content)


def find_pieces(said: bytes, canary: Canary) -> tuple[bool, str, str] | None:
    """Whether a whole secret is there, a piece of it, and what stands around that; None when nothing is."""
    found: list[bytes] = []
    whole = False
    for secret in canary.pieces():
        written = [[each.encode() for each in piece if each.encode() in said] for piece in secret]
        whole = whole or all(written)
        found += [each for piece in written for each in piece]
    if not found:
        return None
    at = said.index(found[0])
    return whole, found[0].decode(), said[max(0, at - _AROUND) : at + _AROUND].decode(errors="replace")


class Sieve:
    """Finds any of many needles in long content: by their first eight bytes, then whole."""

    def __init__(self, needles: Sequence[bytes]) -> None:
        self._by_start: dict[int, list[bytes]] = {}
        for needle in needles:
            self._by_start.setdefault(int.from_bytes(needle[:SHORTEST], "little"), []).append(needle)
        self._starts = np.array(sorted(self._by_start), dtype="<u8")

    def find(self, content: bytes) -> set[bytes]:
        """The needles that are in it."""
        found: set[bytes] = set()
        for offset in range(min(SHORTEST, max(0, len(content) - SHORTEST + 1))):
            words = np.frombuffer(content, dtype="<u8", count=(len(content) - offset) // SHORTEST, offset=offset)
            for start in np.unique(words[np.isin(words, self._starts)]):
                found.update(each for each in self._by_start[int(start)] if each in content)
        return found


def texts_of(data_dir: Path) -> Iterator[tuple[str, bytes]]:
    """Every file as it is, and what the databases hold: a row may be spread over pages, and a column be packed."""
    for path in sorted(data_dir.rglob("*")):
        name = str(path.relative_to(data_dir))
        if path.suffix in {".sqlite3", ".db"}:
            yield from _rows_of(path)
        elif path.is_dir() and path.suffix == _TABLE and path.parent.suffix != _TABLE:
            yield name, _table_of(path)
        elif path.is_file() and name != _LOCK and ".sqlite3-" not in path.name:
            yield name[: name.find(_TABLE) + len(_TABLE)] if _TABLE in name else name, path.read_bytes()


def _rows_of(path: Path) -> Iterator[tuple[str, bytes]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
        tables = [str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = [str(row[1]) for row in connection.execute(f'PRAGMA table_info("{table}")')]
            for column in columns:
                found = connection.execute(f'SELECT "{column}" FROM "{table}"')
                yield f"{path.name} {table}.{column}", b"\n".join(_as_bytes(value for (value,) in found))


def _as_bytes(values: Iterable[object]) -> Iterator[bytes]:
    for value in values:
        yield value if isinstance(value, bytes) else str(value).encode()


def _table_of(path: Path) -> bytes:
    table = lancedb.connect(path.parent).open_table(path.stem).to_arrow()
    names = [each.name for each in table.schema if "string" in str(each.type)]
    return b"\n".join(_as_bytes(value for name in names for value in table.column(name).to_pylist()))
