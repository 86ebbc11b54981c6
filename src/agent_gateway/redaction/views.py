"""Text as it would be read: without escapes, invisible characters or breaks, and where each part of it comes from."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable

from agent_gateway.redaction.tokens import Span

#: What stands for another character, or for none: escapes of JSON, shells, URLs and HTML; colours; line continuations.
_ESCAPE = re.compile(
    r"\\u(?P<u>[0-9a-fA-F]{4})|\\U(?P<U>[0-9a-fA-F]{8})|\\x(?P<x>[0-9a-fA-F]{2})|\\(?P<o>[0-3][0-7]{2})"
    r"|%(?P<p>[0-9a-fA-F]{2})|&#[xX](?P<h>[0-9a-fA-F]{1,6});|&#(?P<d>[0-9]{1,7});|&(?P<e>quot|amp|lt|gt|apos|equals);"
    r"|\\(?P<c>[nrt\"'/\\])|\\\r?\n[ \t]*|\x1b\[[0-9;]*m|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?P<s>[^\x00-\x7f])"
)
_HINT = re.compile(r"[\\%&\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ENTITIES = {"quot": '"', "amp": "&", "lt": "<", "gt": ">", "apos": "'", "equals": "="}
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}
_HEXADECIMAL = frozenset("uUxph")


class View:
    """A text made of another one by replacing pieces; `breaks` are the places where something was left out."""

    def __init__(self, text: str, replaced: Iterable[tuple[Span, str]]) -> None:
        parts: list[str] = []
        # Every part: where it starts in the view, and where it starts and ends in the original.
        self._at: list[int] = []
        self._from: list[int] = []
        self._to: list[int] = []
        self.breaks: list[int] = []
        length = before = 0
        for (start, end), instead in replaced:
            for piece, origin in ((text[before:start], (before, start)), (instead, (start, end))):
                if piece:
                    self._at.append(length)
                    self._from.append(origin[0])
                    self._to.append(origin[1])
                    parts.append(piece)
                    length += len(piece)
            if not instead:
                self.breaks.append(length)
            before = end
        self._at.append(length)
        self._from.append(before)
        self._to.append(len(text))
        parts.append(text[before:])
        self.text = "".join(parts)

    def origin(self, start: int, end: int) -> Span:
        """Where a piece of the view comes from."""
        first = bisect_right(self._at, start) - 1
        last = bisect_right(self._at, end - 1) - 1
        return self._locate(first, start)[0], self._locate(last, end - 1)[1]

    def _locate(self, part: int, at: int) -> Span:
        """The original span of one character of a part; a replacement is not divided."""
        length = (self._at[part + 1] if part + 1 < len(self._at) else len(self.text)) - self._at[part]
        if length != self._to[part] - self._from[part]:
            return self._from[part], self._to[part]
        begin = self._from[part] + at - self._at[part]
        return begin, begin + 1


def unescape(text: str) -> View | None:
    """The text with escapes resolved and invisible characters gone; None when there is nothing of the kind."""
    if text.isascii() and not _HINT.search(text):
        return None
    replaced = [(found.span(), instead) for found in _ESCAPE.finditer(text) if (instead := _resolve(found)) is not None]
    return View(text, replaced) if replaced else None


def _resolve(found: re.Match[str]) -> str | None:
    """What an escape stands for; None for what stays as it is."""
    kind = found.lastgroup
    if kind is None:
        return ""
    written = found[kind]
    if kind == "s":
        return _plain(written)
    if kind == "c":
        return _CONTROLS.get(written, written)
    if kind == "e":
        return _ENTITIES[written]
    code = int(written, 16 if kind in _HEXADECIMAL else 8 if kind == "o" else 10)
    return _visible(chr(code)) if code < 0x110000 and not 0xD800 <= code < 0xE000 else None


def _visible(character: str) -> str:
    """The character, plain; nothing for an invisible one."""
    if character.isascii():
        return character if character.isprintable() or character in "\t\r\n" else ""
    plain = _plain(character)
    return character if plain is None else plain


def _plain(character: str) -> str | None:
    """The ASCII that a character looks like, nothing for an invisible one; None for any other."""
    if unicodedata.category(character) in {"Cf", "Mn"} or character in "\u115f\u1160\u3164\uffa0":
        return ""
    compatible = unicodedata.normalize("NFKC", character)
    return compatible if compatible.isascii() else None


#: Where a text is broken: from one quoted piece to the next, between two lines, between two characters.
JOINT = re.compile(
    r"""(?P<glued>\\?["'`]\s{0,80}(?:[+.,&|]|\|\||\.\.)?\s{0,80}\\?["'`])"""
    r"""|[ \t]*\r?\n[ \t]*(?:[>|#*/+]{1,3}[ \t]*)?|[ \t]{1,3}"""
)


def squeeze(text: str) -> View:
    """The text without the places where it is broken."""
    return View(text, ((found.span(), "") for found in JOINT.finditer(text)))


_SPACED = re.compile(r"(?<!\S)\S(?:\s{1,2}\S(?!\S)){7,}")


def find_spaced(text: str) -> Iterable[tuple[int, View]]:
    """Yield the runs of single characters with spaces between them: where each starts, and without the spaces."""
    for found in _SPACED.finditer(text):
        run = found[0]
        yield found.start(), View(run, ((gap.span(), "") for gap in _GAP.finditer(run)))


_GAP = re.compile(r"\s+")

#: Finds the secrets of a text that was made of another one.
Finder = Callable[[str], list[Span]]
