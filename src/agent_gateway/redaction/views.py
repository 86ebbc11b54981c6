"""Text as it would be read: without escapes, invisible characters or breaks, and where each part of it comes from."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

from agent_gateway.redaction.tokens import Span

#: What stands for another character, or for none: escapes of JSON, shells, URLs, mail and HTML; what steers terminals;
#: line continuations; characters that nobody sees.
_ESCAPE_TEXT = (
    r"\\u(?P<u>[0-9a-fA-F]{4})|\\U(?P<U>[0-9a-fA-F]{8})|\\u\{(?P<b>[0-9a-fA-F]{1,6})\}|\\x(?P<x>[0-9a-fA-F]{2})"
    r"|\\(?P<o>[0-3][0-7]{2})|%(?P<p>[0-9a-fA-F]{2})|(?P<m>(?:=[0-9A-F]{2}){4,})"
    r"|&#[xX](?P<h>[0-9a-fA-F]{1,6});|&#(?P<d>[0-9]{1,7});|&(?P<e>quot|amp|lt|gt|apos|equals);"
    r"|\\(?P<c>[nrt\"'/\\])|\\\r?\n[ \t]*|\x1b\[[0-9;?]{0,40}[ -/]?[@-~]|\x1b\][^\x07\x1b\n]{0,200}(?:\x07|\x1b\\)"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?P<t>[\U000e0020-\U000e007e]{4,})|(?P<s>[^\x00-\x7f])"
)
_ESCAPE = re.compile(_ESCAPE_TEXT)
#: With characters that were struck over by the next one.
_STRUCK = re.compile(rf"[^\n\x08]\x08|{_ESCAPE_TEXT}")
_HINT = re.compile(r"[\\%&\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|=[0-9A-F]{2}=[0-9A-F]{2}=")
#: So much of the text around an escape belongs to it.
_NEAR = 300
_ENTITIES = {"quot": '"', "amp": "&", "lt": "<", "gt": ">", "apos": "'", "equals": "="}
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}
_HEXADECIMAL = frozenset("uUbxph")
#: Characters of which some are seen by a model alone: they say the same as those of ASCII.
_TAGS = 0xE0000


class View:
    """A text made of another one by replacing pieces; `breaks` are the places where something was left out."""

    def __init__(self, text: str, replaced: Sequence[tuple[Span, str]]) -> None:
        # Every part, kept pieces and replacements in turn: where it starts and ends in the original, and what it says.
        starts = [0, *(at for span, _ in replaced for at in span)]
        ends = [*starts[1:], len(text)]
        parts = [text[start:end] for start, end in zip(starts, ends, strict=True)]
        parts[1::2] = [instead for _, instead in replaced]
        self._from, self._to = starts, ends
        #: Where each part starts in the view; parts may be empty.
        self._at = [0, *accumulate(map(len, parts))]
        self.text = "".join(parts)
        self.breaks = [self._at[2 * number + 1] for number, (_, instead) in enumerate(replaced) if not instead]

    def origin(self, start: int, end: int) -> Span:
        """Where a piece of the view comes from."""
        first = bisect_right(self._at, start) - 1
        last = bisect_right(self._at, end - 1) - 1
        return self._locate(first, start)[0], self._locate(last, end - 1)[1]

    def _locate(self, part: int, at: int) -> Span:
        """The original span of one character of a part; a replacement is not divided."""
        length = self._at[part + 1] - self._at[part]
        if length != self._to[part] - self._from[part]:
            return self._from[part], self._to[part]
        begin = self._from[part] + at - self._at[part]
        return begin, begin + 1


def unescape(text: str) -> Iterator[tuple[int, View]]:
    """Yield the parts of the text that have escapes or invisible characters: where each starts, and without them."""
    if text.isascii() and not _HINT.search(text):
        return
    escapes = (_STRUCK if "\b" in text else _ESCAPE).finditer(text)
    yield from views_around(text, ((found.span(), word) for found in escapes if (word := _resolve(found)) is not None))


def views_around(text: str, replaced: Iterable[tuple[Span, str]]) -> Iterator[tuple[int, View]]:
    """Yield views of the text around replacements: of one part for those that are near each other."""
    near: list[tuple[Span, str]] = []
    for each in replaced:
        if near and each[0][0] - near[-1][0][1] > 2 * _NEAR:
            yield _cut(text, near)
            near = []
        near.append(each)
    if near:
        yield _cut(text, near)


def _cut(text: str, near: list[tuple[Span, str]]) -> tuple[int, View]:
    begin = max(near[0][0][0] - _NEAR, 0)
    moved = [((start - begin, end - begin), word) for (start, end), word in near]
    return begin, View(text[begin : near[-1][0][1] + _NEAR], moved)


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
    if kind == "t":
        return "".join(chr(ord(each) - _TAGS) for each in written)
    if kind == "m":
        return bytes.fromhex(written.replace("=", "")).decode("latin-1")
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
    if unicodedata.category(character) in {"Cf", "Cs", "Mn"} or character in "\u115f\u1160\u2800\u3164\uffa0":
        return ""
    compatible = unicodedata.normalize("NFKC", character)
    return compatible if compatible.isascii() else None


#: Where a text is broken: from one quoted piece to the next, between two lines, between two characters.
JOINT = re.compile(
    r"""(?P<glued>\\?["'`]\s{0,80}(?:(?:[+.,&|]|\|\||\.\.)\s{0,80})?\\?["'`])"""
    r"""|(?:[ \t]+(?=\r?\n))?\r?\n[ \t]*(?:[>|#*/+]{1,3}[ \t]*)?|[ \t]+"""
)


#: From one piece of a text in a program to the next.
_CONCATENATED = re.compile(r"""(["'])(?:\s{0,80}[+.]\s{0,80}|\s{1,80}(?:\\\r?\n\s{0,80})?)\1""")


def concatenate(text: str) -> Iterator[tuple[int, View]]:
    """Yield the parts of the text that have quoted pieces: where each starts, and with the pieces put together."""
    yield from views_around(text, ((found.span(), "") for found in _CONCATENATED.finditer(text)))


def squeeze(text: str) -> View:
    """The text without the places where it is broken."""
    return View(text, [(found.span(), "") for found in JOINT.finditer(text)])


#: With spaces or another sign between them.
_SPACED = re.compile(r"(?<!\S)\S(?:\s{1,2}\S(?!\S)){7,}")
_PARTED = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9_]([-.,/|:;*~+])\S(?:\1\S){6,}")


def find_spaced(text: str) -> Iterator[tuple[int, View]]:
    """Yield the runs of single characters with a gap between each two: where each starts, and without the gaps."""
    for found in _SPACED.finditer(text):
        run = found[0]
        yield found.start(), View(run, [(gap.span(), "") for gap in _GAP.finditer(run)])
    for found in _PARTED.finditer(text):
        yield found.start(), View(found[0], [((at, at + 1), "") for at in range(1, len(found[0]), 2)])


_GAP = re.compile(r"\s+")

#: Finds the secrets of a text that was made of another one.
Finder = Callable[[str], list[Span]]
