"""Notices when a model only repeats itself: small ones do, until their limit of tokens ends it."""

from __future__ import annotations

import math

#: How often a piece of text has to follow upon itself, and how long all of that has to be, in characters.
COPIES, LEAST = 5, 240
#: What is remembered; pieces up to a fifth of it are recognised.
_TAIL = 2000
#: Looked at once in so many characters, by way of where the last few stood before.
_STRIDE, _NEEDLE = 120, 24


class RepetitionGuard:
    """Fed with the text as it comes; costs next to nothing for a piece."""

    def __init__(self) -> None:
        self._tail = ""
        self._fresh: list[str] = []
        self._length = 0

    def feed(self, text: str) -> bool:
        """Take a piece; whether the text has become the same again and again."""
        self._fresh.append(text)
        self._length += len(text)
        if self._length < _STRIDE:
            return False
        self._tail = (self._tail + "".join(self._fresh))[-_TAIL:]
        self._fresh.clear()
        self._length = 0
        return repeats(self._tail)


def repeats(tail: str) -> bool:
    """Whether a text ends in copies of one piece."""
    if len(tail) < LEAST:
        return False
    before = tail.rfind(tail[-_NEEDLE:], 0, len(tail) - 1)
    if before < 0:
        return False
    period = len(tail) - _NEEDLE - before
    copies = max(COPIES, math.ceil(LEAST / period))
    return len(tail) >= period * copies and tail[-period * copies :] == tail[-period:] * copies
