"""Finds the documents of a folder."""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent_gateway.errors import InvalidInput
from agent_gateway.knowledge.documents import FORMATS, MAXIMUM_BYTES


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to ingest. `source` is its posix path relative to the folder, `mtime` is in nanoseconds."""

    source: str
    path: Path
    size: int
    mtime: int


@dataclass
class Scan:
    """The documents below `root` in the order of their names, and what is left out: path or `*.suffix` -> reason.

    `only` is the source of the one file that was asked for. `unread` are the files and folders that exist but could
    not be looked at: what was ingested from them earlier is not gone.
    """

    root: Path
    only: str = ""
    files: list[FoundFile] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def relative_to(self, root: Path) -> Scan:
        """The same documents, their sources relative to a folder above."""
        inner = self.root.relative_to(root).as_posix()
        prefix = "" if inner == "." else f"{inner}/"
        return Scan(
            root,
            only=f"{prefix}{self.only}" if self.only else "",
            files=[replace(file, source=f"{prefix}{file.source}") for file in self.files],
            skipped={f"{prefix}{name}": reason for name, reason in self.skipped.items()},
            unread=[f"{prefix}{name}" for name in self.unread],
        )

    def missing(self, known: Iterable[str]) -> list[str]:
        """The known sources that are no longer among the documents."""
        present = {file.source for file in self.files}
        candidates = [source for source in known if source not in present and self.only in {"", source}]
        return [source for source in candidates if not any(_is_below(source, name) for name in self.unread)]


def scan(path: Path) -> Scan:
    """Find the documents of a folder, or the one file; blocking. `InvalidInput` when there is nothing at `path`.

    Hidden files and folders are left out, and symbolic links that leave the folder.
    """
    try:
        root = path.expanduser().resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise InvalidInput(f"there is no file or folder {str(path)!r}", hint="give a path that exists") from error
    if root.is_file():
        found = Scan(root.parent, only=root.name)
        others: Counter[str] = Counter()
        _take(root, root.name, found, others)
        if others:
            found.skipped[_printable(root.name)] = f"of an unsupported type; supported are {', '.join(FORMATS)}"
        return found
    if not root.is_dir():
        raise InvalidInput(f"{str(path)!r} is neither a file nor a folder", hint="give a file or a folder")
    found, others = Scan(root), Counter()
    _walk(found, others)
    for suffix, count in sorted(others.items()):
        name = f"*{suffix}" if suffix else "files without suffix"
        found.skipped[name] = f"{count} of an unsupported type"
    found.files.sort(key=lambda file: file.source)
    return found


def _walk(found: Scan, others: Counter[str]) -> None:
    pending, seen = [(found.root, "")], {found.root}
    while pending:
        folder, prefix = pending.pop()
        try:
            entries = sorted(path.name for path in folder.iterdir())
        except OSError as error:
            _leave_unread(prefix.rstrip("/"), error, found)
            continue
        for name in entries:
            if name.startswith("."):
                continue
            path, source = folder / name, f"{prefix}{name}"
            if path.is_symlink():
                target = _resolve_inside(path, found)
                if target is None:
                    found.skipped[_printable(source)] = "a symbolic link that is broken or leaves the folder"
                    continue
                path = target
            if path.is_dir():
                if path not in seen:
                    seen.add(path)
                    pending.append((path, f"{source}/"))
            else:
                _take(path, source, found, others)


def _resolve_inside(path: Path, found: Scan) -> Path | None:
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return None
    return target if target.is_relative_to(found.root) else None


def _take(path: Path, source: str, found: Scan, others: Counter[str]) -> None:
    suffix = Path(source).suffix.lower()
    if suffix not in FORMATS:
        others[_printable(suffix)] += 1
        return
    try:
        status = path.stat()
    except OSError as error:
        _leave_unread(source, error, found)
        return
    if _printable(source) != source:
        found.skipped[_printable(source)] = "its name is not UTF-8"
    elif not stat.S_ISREG(status.st_mode):
        found.skipped[source] = "not a regular file"
    elif status.st_size > MAXIMUM_BYTES:
        found.skipped[source] = f"larger than {MAXIMUM_BYTES // 1024 // 1024} MB"
    else:
        found.files.append(FoundFile(source, path, status.st_size, status.st_mtime_ns))


def _leave_unread(source: str, error: OSError, found: Scan) -> None:
    found.skipped[_printable(source) or "."] = f"cannot be read: {error.strerror}"
    found.unread.append(source)


def _is_below(source: str, name: str) -> bool:
    return name in {"", source} or source.startswith(f"{name}/")


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
