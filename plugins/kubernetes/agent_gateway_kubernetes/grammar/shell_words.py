"""The words of a command string, as a shell would split it; anything a shell would do besides is refused."""

from __future__ import annotations

import re

from .command import Refused

LONGEST_LINE = 8192
MOST_WORDS = 200
PROGRAM = "kubectl"

#: Unquoted, a shell would take these for an operator, an expansion, a pattern, a comment or an escape.
_ACTIVE = frozenset(";|&$`<>()*?[]#~^\\")
_SHELL = "The command is data, not a shell line: {} is refused."
_CONTROL = re.compile(r"[^\x20-\x7e\t]")
#: What a shell expands into several words: {a,b} and {1..3}.
_BRACES = re.compile(r"\{[^{}]*(?:,|\.\.)[^{}]*\}")
_BLANKS = " \t"


def split_line(line: str) -> list[str]:
    """Split one line into words, the first of which is `kubectl`; quotes are taken off. `Refused`."""
    if len(line) > LONGEST_LINE:
        raise Refused(f"The command is longer than {LONGEST_LINE} characters.")
    if odd := _CONTROL.search(line):
        raise Refused(_SHELL.format(f"the character {odd[0]!a}, which is not printable ASCII,"))
    words = _Splitter(line).words()
    if not words:
        raise Refused("The command is empty.")
    if words[0] != PROGRAM or not line.lstrip(_BLANKS).startswith(PROGRAM):
        raise Refused(f"The first word must be exactly {PROGRAM}.")
    if len(words) > MOST_WORDS:
        raise Refused(f"The command has more than {MOST_WORDS} words.")
    return words


class _Splitter:
    """Goes through a line once; `_plain` gathers what was unquoted in a word, to see what a shell would expand."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._at = 0

    def words(self) -> list[str]:
        found: list[str] = []
        while True:
            while self._at < len(self._line) and self._line[self._at] in _BLANKS:
                self._at += 1
            if self._at >= len(self._line):
                return found
            found.append(self._word())

    def _word(self) -> str:
        parts: list[str] = []
        plain: list[str] = []
        while self._at < len(self._line) and self._line[self._at] not in _BLANKS:
            character = self._line[self._at]
            self._at += 1
            if character == "'":
                parts.append(self._single())
            elif character == '"':
                parts.append(self._double())
            else:
                self._check(character)
                parts.append(character)
                plain.append(character)
        word = "".join(parts)
        unquoted = "".join(plain)
        if not word:
            raise Refused("An empty word says nothing.")
        if unquoted in {"{", "}"} or _BRACES.search(unquoted):
            raise Refused(_SHELL.format("an unquoted brace"))
        return word

    def _check(self, character: str) -> None:
        if character in _ACTIVE:
            raise Refused(_SHELL.format(f"an unquoted '{character}'"))
        if character == "!" and self._line[self._at : self._at + 1] != "=":
            raise Refused(_SHELL.format("an unquoted '!'"))

    def _single(self) -> str:
        end = self._line.find("'", self._at)
        if end < 0:
            raise Refused("A quote is not closed.")
        text = self._line[self._at : end]
        self._at = end + 1
        return text

    def _double(self) -> str:
        r"""Text in double quotes, where a backslash stands only before a quote, a backslash or as itself."""
        parts: list[str] = []
        while self._at < len(self._line):
            character = self._line[self._at]
            following = self._line[self._at + 1 : self._at + 2]
            self._at += 1
            if character == '"':
                return "".join(parts)
            if character in "$`" or (character == "!" and following not in {"=", ""}):
                raise Refused(_SHELL.format(f"'{character}' in double quotes"))
            if character == "\\" and following and following in '"\\':
                character = following
                self._at += 1
            parts.append(character)
        raise Refused("A quote is not closed.")
