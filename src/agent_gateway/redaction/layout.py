"""Text without what only lays it out: what stands before every line of it, and marks for bold type and tags in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent_gateway.redaction.views import View, views_around

_MARK = re.compile(r"(?<=[A-Za-z0-9_+/=-])(?:[*~`]|</?[A-Za-z][^<>\n]{0,80}>|<!--[^<>]{0,80}-->)+(?=[A-Za-z0-9_+/=-])")
_DIGITS = re.compile(r"[0-9]+")
#: A line of a log, and the last word of it, which may be a piece of something.
_LINE = re.compile(r"^(?=[^\n]{0,160}[ \t|>:])[^\n]{0,160}[ \t|>:]([^\s|>:]{2,})[ \t]*\r?$", re.MULTILINE)


def unmark(text: str) -> Iterator[tuple[int, View]]:
    """Yield the parts of the text that have marks or tags within words: where each starts, and without them."""
    yield from views_around(text, ((found.span(), "") for found in _MARK.finditer(text)))


def find_behind(text: str) -> Iterator[tuple[int, View]]:
    """Yield the last words of lines that begin alike but for their numbers, as in a log, one below the other."""
    for lines in _alike(text):
        begin = lines[0][0]
        replaced = [((start - begin, word - begin), "") for start, word, _ in lines]
        yield begin, View(text[begin : lines[-1][2]], replaced)


def _alike(text: str) -> Iterator[list[tuple[int, int, int]]]:
    """Yield lines in a row that begin alike: where each begins, and the span of its last word."""
    group: list[tuple[int, int, int]] = []
    last = ""
    for line in _LINE.finditer(text) if "\n" in text else ():
        start, word, end = line.start(), line.start(1), line.end(1)
        kind = _DIGITS.sub("0", text[start:word])
        if kind != last or (group and text[group[-1][2] : start].strip()):
            if len(group) > 1:
                yield group
            group = []
        last = kind
        group.append((start, word, end))
    if len(group) > 1:
        yield group
