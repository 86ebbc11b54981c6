"""Where the sentences of a chunk begin and end.

A sentence is a sentence of prose or of a list item (without the list marker), a table row, or a whole fenced code
block. Headings, list markers and the rule under a table's header belong to no sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LINE = re.compile(r"[^\n]+")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})([^`]*)$")
_HEADING = re.compile(r"#{1,6}\s")
_ROW = re.compile(r"\s*\|.*\|\s*$")
_RULE = re.compile(r"\s*\|(?:\s*:?-+:?\s*\|)+\s*$")
_MARKER = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])\s+")

#: The end of a sentence: its mark, then whatever closes quotes, brackets or emphasis, then the gap. The second half is
#: for full-width marks, after which there is no gap.
_END = re.compile(r"[.!?\u2026]+[\"'\u201d\u2019\u00bb)\]*_`]*(\s+)|[\u3002\uff01\uff1f]+[\u300d\u300f\uff09]*(\s*)")
_PROTECTED = re.compile(r"(`+)(?!`).{1,400}?(?<!`)\1(?!`)|\]\([^)\s]{,400}\)")
_WORD = re.compile(r"\w+")

#: After these a capital letter may follow within the sentence.
_ABBREVIATION = re.compile(r"e\.?g|i\.?e|vs|cf|approx|resp|incl|excl|viz|al|dept|est|avg|mrs?|ms|dr|prof|st|[js]r|gen")
#: After these a figure may follow.
_NUMBERED = re.compile(r"no|nr|ca|figs?|eq|sec|ch|vol|ver|min|max|pp?")
#: These may end a sentence too, so a capital letter after them begins a new one.
_SOFT_ABBREVIATION = re.compile(r"etc|inc|ltd|corp|co|[ap]\.m|u\.[sk]")
_LONGEST_ABBREVIATION = 12


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Spans `text[start:end]` of the sentences, in order, without surrounding whitespace."""
    return list(_spans(text))


def _spans(text: str) -> Iterator[tuple[int, int]]:
    position = 0
    while (line := _LINE.search(text, position)) is not None:
        position = line.end()
        content = line.group()
        if opening := _FENCE.match(content):
            position = _fence_end(text, position, opening[1])
            yield from _trim(text, line.start(), position)
        elif _HEADING.match(content) or _RULE.match(content):
            continue
        elif _ROW.match(content):
            yield from _trim(text, line.start(), line.end())
        else:
            marker = _MARKER.match(content)
            yield from _split_prose(text, line.start() + (marker.end() if marker else 0), line.end())


def _fence_end(text: str, position: int, mark: str) -> int:
    closing = re.compile(rf"^\s*{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$", re.MULTILINE)
    end = closing.search(text, position)
    return end.end() if end else len(text)


def _trim(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end


def _split_prose(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut one line at the ends of its sentences; a piece without a letter or figure stays with its neighbour."""
    line = text[start:end]
    words = [match.start() for match in _WORD.finditer(line)]
    protected = [match.span() for match in _PROTECTED.finditer(line)]
    begin = word = guard = 0
    for match in _END.finditer(line):
        mark, rest = match.start(), match.end()
        while guard < len(protected) and protected[guard][1] <= mark:
            guard += 1
        if guard < len(protected) and protected[guard][0] < mark:
            continue
        if word == len(words) or words[word] > mark or words[-1] < rest:
            continue
        if match[1] is None or _ends_sentence(line, begin, match):
            yield from _trim(text, start + begin, start + rest)
            begin = rest
            while words[word] < rest:
                word += 1
    yield from _trim(text, start + begin, end)


def _ends_sentence(line: str, begin: int, match: re.Match[str]) -> bool:
    """Whether the mark ends the sentence, judged by the word before it and the character after the gap."""
    following = line[match.end()]
    if match.group()[0] != "." or match.group().startswith(".."):
        return not following.islower()
    words = line[max(begin, match.start() - _LONGEST_ABBREVIATION) : match.start()].lower().split()
    last = words[-1].lstrip("([\"'\u201c*_") if words else ""
    if _NUMBERED.fullmatch(last):
        return not following.isdigit()
    if _ABBREVIATION.fullmatch(last):
        return False
    if _SOFT_ABBREVIATION.fullmatch(last):
        return following.isupper()
    # "J. Smith", and a number that counts ("1. Stop the node").
    return not (len(last) == 1 and (last.isalpha() or (last.isdigit() and match.start() - begin == 1)))
