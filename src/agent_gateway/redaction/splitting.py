"""Tokens that are broken: over lines, quoted pieces that are put together, or by spaces."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from agent_gateway.redaction.tokens import Span, TokenShape, looks_random, shapes_in, starts_anew
from agent_gateway.redaction.views import View, squeeze

#: Left out to see at once whether a token may be broken; what it begins with is then in one piece.
_BREAKING = b" \t\r\n\"'`+,&|\\<>#*"
#: A token that is longer than half of this may be found in part.
_WINDOW = 8192
#: A shorter beginning is everywhere.
_DISTINCT = 3
_CONTINUES = re.compile(r"(?=[A-Za-z0-9_.=/+-]*[0-9]|[a-z]*[A-Z]+[a-z]+[A-Z])[A-Za-z0-9_.=/+-]{6,}")
#: What may stand between the two secrets of a pair, and in how many pieces the second may be: more are words.
_BESIDE = re.compile(r"[\"':=,|]{1,8}")
_BASE64 = re.compile(r"[A-Za-z0-9/+]+")
_PIECES = 3
_SIGNS = 3
_PIECE = re.compile(r"[A-Za-z0-9_.=/+-]+")
_QUOTES = ('"', "'", "`")
#: Words in a row have fewer digits than a token.
_DIGITS = 2


def find_split(text: str, known: Sequence[str]) -> Iterator[Span]:
    """Yield the secrets of a text that are broken; `known` are exact values."""
    bare = _bare(text)
    shapes = [shape for shape in shapes_in(bare) if _may_be_split(text, bare, shape)]
    exact = [value for value in known if _bare(value) in bare]
    if not shapes and not exact:
        return
    # Putting together takes time: it is done where something may be found.
    for begin in range(0, max(len(text) - _WINDOW // 2, 1), _WINDOW // 2):
        window = text[begin : begin + _WINDOW]
        bare = _bare(window)
        likely = [shape for shape in shapes if _may_be_split(window, bare, shape)]
        if likely or any(_bare(value) in bare for value in exact):
            yield from ((begin + start, begin + end) for start, end in _find_in(window, likely, exact))


def _bare(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").translate(None, _BREAKING).decode("utf-8", "surrogatepass")


class _Broken:
    """A text, the same without its breaks, and what each of these breaks is."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.view = squeeze(text)
        self._gaps: dict[int, str] = {}

    def is_new(self, at: int) -> bool:
        """Tell whether what begins here in the view is not the middle of a word of the text."""
        return starts_anew(self.text, self.view.origin(at, at + 1)[0])

    def gap(self, number: int) -> str:
        """What was left out at a break."""
        if number not in self._gaps:
            joint = self.view.breaks[number]
            start = self.view.origin(joint - 1, joint)[1] if joint else 0
            end = self.view.origin(joint, joint + 1)[0] if joint < len(self.view.text) else len(self.text)
            self._gaps[number] = self.text[start:end]
        return self._gaps[number]


def _find_in(text: str, shapes: Sequence[TokenShape], exact: Sequence[str]) -> Iterator[Span]:
    broken = _Broken(text)
    if not broken.view.breaks:
        return
    for shape in shapes:
        yield from _find_shape(broken, shape)
    for value in exact:
        yield from _find_exact(broken.view, value)


def _may_be_split(text: str, bare: str, shape: TokenShape) -> bool:
    """Tell whether the beginning is broken, or stands where the rest may be; cheap, and seldom for nothing."""
    joined = bare.count(shape.start)
    if not joined or len(shape.start) < _DISTINCT:
        return False
    return joined > text.count(shape.start) or any(starts_anew(text, at) for at in _places(text, shape.start))


def _places(text: str, what: str) -> Iterator[int]:
    at = text.find(what)
    while at >= 0:
        yield at
        at = text.find(what, at + 1)


def _find_exact(view: View, value: str) -> Iterator[Span]:
    for form in {value, re.sub(r"\s", "", value)}:
        at = view.text.find(form)
        while at >= 0:
            yield view.origin(at, at + len(form))
            at = view.text.find(form, at + len(form))


def _find_shape(broken: _Broken, shape: TokenShape) -> Iterator[Span]:
    view = broken.view
    done = dull = 0
    for at, reach in shape.places(view.text, broken.is_new):
        if at >= done and reach != dull:
            end = _end_of(broken, shape, (at, reach))
            if end:
                yield view.origin(at, end)
                done = end
            elif not (shape.sure or looks_random(view.text[at + len(shape.start) : reach])):
                dull = reach  # what begins later and ends there looks no more like a token
        if shape.beside:
            yield from _find_beside(view, at + shape.shortest, shape.beside)


def _find_beside(view: View, after: int, length: int) -> Iterator[Span]:
    """The second secret of a pair, in a few pieces."""
    found = _BESIDE.match(view.text, after)
    start = found.end() if found else after
    whole = _BASE64.match(view.text, start, start + length)
    end = whole.end() if whole else start
    secret = view.text[start:end]
    pieces = bisect_right(view.breaks, end - 1) - bisect_right(view.breaks, start) + 1
    # A sign at the beginning of a line is taken for what quotes the line, and left out of the view.
    lost = _SIGNS * (pieces - 1)
    mixed = all(any(map(kind, secret)) for kind in (str.isdigit, str.isupper, str.islower))
    if len(secret) >= length - lost and pieces <= _PIECES and mixed:
        yield view.origin(start, end)


def _end_of(broken: _Broken, shape: TokenShape, reached: Span) -> int:
    """Where a broken token ends that begins here; 0 when none does."""
    at, reach = reached
    breaks = broken.view.breaks
    first = bisect_right(breaks, at)
    if first == len(breaks) or breaks[first] >= reach:
        return 0  # in one piece
    end, loose = _cut(broken, shape.shortest, reached)
    token = broken.view.text[at:end]
    if not shape.fits(token):
        return 0
    # With spaces in it, it may as well be words.
    return end if not loose or sum(map(str.isdigit, token[len(shape.start) :])) >= _DIGITS else 0


def _cut(broken: _Broken, shortest: int, reached: Span) -> tuple[int, bool]:
    """Where the token stops within what would match, and whether spaces break it."""
    at, reach = reached
    breaks = broken.view.breaks
    loose = False
    for number in range(bisect_right(breaks, at), bisect_left(breaks, reach)):
        gap, joint = broken.gap(number), breaks[number]
        glued = gap[-1:] in _QUOTES
        if not glued and joint - at >= shortest:
            stop = breaks[number + 1] if number + 1 < len(breaks) else reach
            piece = _PIECE.match(broken.view.text, joint, min(stop, reach))
            if "\n" not in gap or piece is None or not _CONTINUES.fullmatch(piece[0]):
                return joint, loose
        loose = loose or not (glued or "\n" in gap)
    return reach, loose
