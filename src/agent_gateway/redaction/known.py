"""Secrets that the gateway itself holds: exact values, whatever they look like."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from string import punctuation, whitespace
from typing import AnyStr
from urllib.parse import quote

#: Anything shorter, such as a password "admin", is part of ordinary words.
SHORTEST = 8
#: From this length on its encoded form is found by decoding.
_DECODED_FROM = 12


class KnownSecrets:
    """Values that are secrets wherever they appear, in the whole process, from being registered to being released."""

    def __init__(self) -> None:
        self.values: tuple[str, ...] = ()
        #: The values, and what they look like in URLs, base64 and hexadecimal where decoding would not find them.
        self.forms: tuple[str, ...] = ()
        #: The letters and digits alone of those that have enough of them, forwards and backwards.
        self._cores: tuple[tuple[bytes, str], ...] = ()
        #: The others, which are more signs than letters.
        self.signs: tuple[str, ...] = ()

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where values are: as they are or encoded, backwards, in capitals, with any signs between letters."""
        for form in self.forms:
            yield from ((at, at + len(form)) for at in _places(text, form))
        if not self._cores:
            return
        letters = _letters(text)
        present = [(core, value) for core, value in self._cores if core in letters]
        # Where each of the letters stands is of interest only where one of them is.
        where = [found.start() for found in _LETTER.finditer(text)] if present else []
        for core, value in present:
            for at in _places(letters, core):
                yield _widen(text, value, where[at], where[at + len(core) - 1] + 1)

    def register(self, *values: str) -> None:
        """Make values secrets; one of fewer than eight characters is not taken, it would be found in ordinary words."""
        lines = {value.strip() for value in values}
        fresh = [value for value in lines if len(value) >= SHORTEST and value not in self.values]
        if fresh:
            self._hold((*self.values, *fresh))

    def release(self, *values: str) -> None:
        """Hide these no longer: they open nothing any more."""
        lines = {value.strip() for value in values}
        self._hold(value for value in self.values if value not in lines)

    def clear(self) -> None:
        """Forget all values."""
        self._hold(())

    def _hold(self, values: Iterable[str]) -> None:
        # Replaced, not changed: other threads are reading.
        self.values = tuple(sorted(values, key=len, reverse=True))
        self.forms = tuple(sorted({form for value in self.values for form in _forms(value)}, key=len, reverse=True))
        self._cores = tuple((core, value) for value in self.values for core in _cores(value))
        self.signs = tuple(value for value in self.values if not _cores(value))


_SIGNS = punctuation + whitespace
_LETTER = re.compile(r"[A-Za-z0-9]")
_NO_LETTERS = bytes(each for each in range(256) if not (each < 128 and chr(each).isalnum()))


def _letters(text: str) -> bytes:
    """The letters and digits of ASCII, small."""
    return text.encode("ascii", "replace").translate(None, _NO_LETTERS).lower()


def _cores(value: str) -> set[bytes]:
    """What a value is without signs; nothing where that might be an ordinary number or word."""
    core = _letters(value)
    return set() if len(core) < SHORTEST or core.isdigit() else {core, core[::-1]}


def _places(text: AnyStr, what: AnyStr) -> Iterator[int]:
    at = text.find(what)
    while at >= 0:
        yield at
        at = text.find(what, at + len(what))


def _widen(text: str, value: str, start: int, end: int) -> tuple[int, int]:
    """With the signs that the value begins and ends with, where they are there."""
    signs = len(value) - len(value.lstrip(_SIGNS)), len(value) - len(value.rstrip(_SIGNS))
    before, after = value[: signs[0]], value[len(value) - signs[1] :]
    for ahead, behind in ((before, after), (after[::-1], before[::-1])):
        if text.startswith(behind, end) and text.endswith(ahead, 0, start):
            return start - len(ahead), end + len(behind)
    return start, end


def _forms(value: str) -> set[str]:
    forms = {value, quote(value), quote(value, safe="")}
    if len(value) < _DECODED_FROM:
        raw = value.encode()
        forms |= {raw.hex(), raw.hex().upper()}
        for shift in range(3):
            # Only the characters that depend on nothing before or after the value.
            encoded = base64.b64encode(b"\0" * shift + raw)
            core = encoded[(0, 2, 3)[shift] : (shift + len(raw)) * 8 // 6].decode()
            forms |= {core, core.replace("+", "-").replace("/", "_")}
    return forms


known_secrets = KnownSecrets()
