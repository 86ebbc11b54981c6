"""Tells code from prose in Markdown that arrives in pieces.

What is taken for code is not looked at, so only what every reader of Markdown takes for code is: in doubt it is prose.
"""

from __future__ import annotations

import re

#: So much is held back at most until what began is clear.
LONGEST_HELD = 400
_TICKS = re.compile(r"`+")
#: A fence is at least so long and begins a line; a shorter run of back-ticks is code within a line.
_FENCE = 3
#: A fence is not indented by more, from where its surroundings begin.
_INDENT = 3
#: Nothing but the marks of lists and quotes.
_BARE = re.compile(r"[\s>*+\-.)\d]*")
_LIST_MARK = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]")
_MAY_CLOSE = re.compile(r"[ \t]*`*[ \t]*")


class CodeSpans:
    """Where a text is within back-ticks: `inside` a fence, or in code within a line, which is given as a whole."""

    def __init__(self) -> None:
        self._open = 0
        self._indent = 0
        self._fence_line_begins = False
        #: The line so far while it is bare, else None.
        self._line: str | None = ""
        #: Where the text of the last list item begins.
        self._content = 0
        #: Until the next blank line: back-ticks may pair otherwise than it seems; there are HTML tags.
        self._doubtful = False
        self._markup = False
        #: From here on readers may disagree where a fence ends.
        self._lost = False

    @property
    def inside(self) -> bool:
        """Whether what follows is in a fence."""
        return self._open > 0

    def follow(self, text: str) -> None:
        """Take note of text that is no code."""
        if "`" in text:
            self._doubtful = True
        if self._line is None and "\n" not in text:
            return
        head, *lines = text.split("\n")
        self._extend(head)
        for line in lines:
            self._end_line()
            self._extend(line)

    def follow_tag(self) -> None:
        """Take note of an HTML tag: at the beginning of a line it may make what follows no Markdown at all."""
        self._markup = self._markup or self._line is not None

    def end_part(self) -> None:
        """What one model says is over; a fence that it left open makes the rest doubtful."""
        self._lost = self._lost or self._open > 0
        self._open = 0
        self._line, self._doubtful, self._markup = "", False, False

    def enter(self, text: str, start: int, before: str, *, final: bool) -> tuple[str | None, int]:
        """What stands at a run of back-ticks and where it ends: whole code, a fence's first line, or the run alone.

        None while that is not clear. `before` is the character before it.
        """
        run = _TICKS.match(text, start)
        assert run is not None
        if run.end() == len(text) and not final:
            return None, start
        if len(run[0]) >= _FENCE and self._line is not None:
            line_end = text.find("\n", run.end())
            info = text[run.end() : line_end if line_end >= 0 else len(text)]
            if "`" not in info:
                if line_end < 0 and not final and len(info) <= LONGEST_HELD:
                    return None, start
                return self._enter_fence(run[0], info), run.end() + (len(info) if self._open else 0)
        return self._enter_line(text, run, before, final=final)

    def tilde(self, text: str, start: int, *, final: bool) -> tuple[str | None, int]:
        """A run of tildes; where it is a fence, what follows is read as prose all the same."""
        end = start + len(text[start:]) - len(text[start:].lstrip("~"))
        if self._line is not None and end == len(text) and not final and end - start < _FENCE:
            return None, start
        self._lost = self._lost or (self._line is not None and end - start >= _FENCE)
        return text[start:end], end

    def leave(self, text: str, start: int, *, final: bool) -> int:
        """Where the fence that goes on at `start` ends, or how far it is clear; `inside` tells which."""
        position = start
        while position < len(text):
            newline = text.find("\n", position)
            end = newline if newline >= 0 else len(text)
            if self._fence_line_begins:
                line = text[position:end]
                unclear = newline < 0 and not final and _MAY_CLOSE.fullmatch(line) is not None
                if unclear and len(line) <= LONGEST_HELD:
                    return position
                if unclear or self._leaves(line):
                    self._open, self._lost, self._line = 0, True, ""
                    return position
                if self._closes(line):
                    self._open, self._line = 0, None
                    return end
            self._fence_line_begins = newline >= 0
            position = end + (newline >= 0)
        return position

    def _enter_fence(self, run: str, info: str) -> str:
        line = self._line or ""
        self._indent = _width(line)
        listed = 0 < self._content <= self._indent <= self._content + _INDENT
        if self._lost or self._markup or line.strip(" \t") or (self._indent > _INDENT and not listed):
            self._lost, self._line = True, None
            return run
        self._open = len(run)
        self._fence_line_begins = False
        return run + info

    def _enter_line(self, text: str, run: re.Match[str], before: str, *, final: bool) -> tuple[str | None, int]:
        """Code within a line; without a closing run in the same line it is none."""
        if self._lost or self._doubtful or self._markup or before == "\\":
            return self._read_on(run)
        stop = min(len(text), run.start() + LONGEST_HELD)
        line_end = text.find("\n", run.end(), stop)
        for other in _TICKS.finditer(text, run.end(), line_end if line_end >= 0 else stop):
            if other.end() == stop and not (final and stop == len(text)):
                break
            if len(other[0]) == len(run[0]):
                return self._close_line(text[run.start() : other.end()], run, other.end())
        if line_end < 0 and not final and len(text) - run.start() < LONGEST_HELD:
            return None, run.start()
        return self._read_on(run)

    def _close_line(self, code: str, run: re.Match[str], end: int) -> tuple[str, int]:
        # In a table the columns are told apart first.
        self._doubtful = "|" in code
        if self._doubtful and ("[" in code or "<" in code):
            return self._read_on(run)
        self._line = None
        return code, end

    def _read_on(self, run: re.Match[str]) -> tuple[str, int]:
        self._doubtful, self._line = True, None
        return run[0], run.end()

    def _leaves(self, line: str) -> bool:
        """Whether a line may end the list item that the fence stands in, or may or may not close the fence."""
        indent = _width(line)
        if not line.strip(" \t"):
            return False
        if indent < self._indent:
            return True
        unsure = max(_INDENT, self._indent) < indent <= self._indent + _INDENT
        return unsure and self._is_run(line)

    def _closes(self, line: str) -> bool:
        return self._is_run(line) and _width(line) <= max(_INDENT, self._indent)

    def _is_run(self, line: str) -> bool:
        run = line.strip(" \t")
        return len(run) >= self._open and not run.strip("`")

    def _extend(self, text: str) -> None:
        if self._line is None:
            return
        self._line += text
        if len(self._line) > LONGEST_HELD or not _BARE.fullmatch(self._line):
            self._note_list(self._line)
            self._line = None

    def _end_line(self) -> None:
        if self._line is not None:
            if self._line.strip(" \t"):
                self._note_list(self._line)
            else:
                self._doubtful, self._markup = False, False
        self._line = ""

    def _note_list(self, line: str) -> None:
        indent = _width(line)
        mark = _LIST_MARK.match(line)
        if mark is not None and indent <= self._content + _INDENT:
            self._content = len(mark[0].expandtabs(4))
        elif indent < self._content:
            self._content = 0


def _width(line: str) -> int:
    """The columns of a line's indentation."""
    return len(line[: len(line) - len(line.lstrip(" \t"))].expandtabs(4))
