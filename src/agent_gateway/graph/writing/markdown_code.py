"""Tells code from prose in Markdown that arrives in pieces."""

from __future__ import annotations

import re

_TICKS = re.compile(r"`+")
#: A fence is at least so long and begins a line; a shorter run of back-ticks is code within a line.
_FENCE = 3


class CodeSpans:
    """Where a text is within back-ticks. Code within a line ends with the line at the latest."""

    def __init__(self) -> None:
        self._open = 0
        self._fenced = False
        self._line_is_blank = True

    @property
    def inside(self) -> bool:
        """Whether what follows is code."""
        return self._open > 0

    def follow(self, text: str) -> None:
        """Take note of text without back-ticks."""
        if not self._open:
            self._pass_over(text)
        elif not self._fenced and "\n" in text:
            self._open = 0
            self._pass_over(text)

    def enter(self, text: str, start: int, *, final: bool) -> tuple[str | None, int]:
        """Begin code at a run of back-ticks; returns the run and its end, None while the run may go on."""
        run = _TICKS.match(text, start)
        assert run is not None
        if run.end() == len(text) and not final:
            return None, start
        self._open = len(run[0])
        self._fenced = self._line_is_blank and self._open >= _FENCE
        self._line_is_blank = False
        return run[0], run.end()

    def leave(self, text: str, start: int, *, final: bool) -> int:
        """Where the code that goes on at `start` ends, or how far it is clear; `inside` tells which."""
        line_end = text.find("\n", start)
        for run in _TICKS.finditer(text, start):
            if not self._fenced and 0 <= line_end < run.start():
                break
            if run.end() == len(text) and not final:
                return run.start()
            if len(run[0]) == self._open or (self._fenced and len(run[0]) > self._open):
                self._open = 0
                return run.end()
        if not self._fenced and line_end >= 0:
            self._open = 0
            return line_end
        return len(text)

    def _pass_over(self, text: str) -> None:
        line = text.rpartition("\n")[2]
        self._line_is_blank = not line.strip() and (self._line_is_blank or "\n" in text)
