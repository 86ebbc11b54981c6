"""Tokens that are broken: over lines, quoted pieces that are put together, or by spaces."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from agent_gateway.redaction.tokens import SHAPES, Span, TokenShape, starts_anew
from agent_gateway.redaction.views import View, squeeze

#: Left out to see at once whether a token may be broken; what it begins with is then in one piece.
_BREAKING = str.maketrans("", "", " \t\r\n\"'`+,&|\\<>#*")
#: A token that is longer than half of this may be found in part.
_WINDOW = 8192
#: A shorter beginning is everywhere.
_DISTINCT = 3
_CONTINUES = re.compile(r"(?=[A-Za-z0-9_.=/+-]*[0-9]|[a-z]*[A-Z]+[a-z]+[A-Z])[A-Za-z0-9_.=/+-]{6,}")
#: What may stand between the two secrets of a pair, and in how many pieces the second may be: more are words.
_BESIDE = re.compile(r"[\"':=,|]{1,8}")
_BASE64 = re.compile(r"[A-Za-z0-9/+]+")
_PIECES = 3
_PIECE = re.compile(r"[A-Za-z0-9_.=/+-]+")
#: Words in a row have fewer digits than a token.
_DIGITS = 2


def find_split(text: str, known: Sequence[str]) -> Iterator[Span]:
    """Yield the secrets of a text that are broken; `known` are exact values."""
    bare = text.translate(_BREAKING)
    shapes = [shape for shape in SHAPES if _may_be_split(text, bare, shape)]
    exact = [value for value in known if value.translate(_BREAKING) in bare]
    if not shapes and not exact:
        return
    # Putting together takes time: it is done where something may be found.
    for begin in range(0, max(len(text) - _WINDOW // 2, 1), _WINDOW // 2):
        window = text[begin : begin + _WINDOW]
        bare = window.translate(_BREAKING)
        likely = [shape for shape in shapes if _may_be_split(window, bare, shape)]
        if likely or any(value.translate(_BREAKING) in bare for value in exact):
            yield from ((begin + start, begin + end) for start, end in _find_in(window, likely, exact))


def _find_in(text: str, shapes: Sequence[TokenShape], exact: Sequence[str]) -> Iterator[Span]:
    view = squeeze(text)
    if not view.breaks:
        return
    for shape in shapes:
        yield from _find_shape(text, view, shape)
    for value in exact:
        yield from _find_exact(view, value)


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


def _find_shape(text: str, view: View, shape: TokenShape) -> Iterator[Span]:
    at = view.text.find(shape.start)
    while at >= 0:
        end = _end_of(text, view, shape, at)
        if end:
            yield view.origin(at, end)
        if shape.beside and starts_anew(text, view.origin(at, at + 1)[0]):
            yield from _find_beside(view, at + shape.shortest, shape.beside)
        at = view.text.find(shape.start, end or at + 1)


def _find_beside(view: View, after: int, length: int) -> Iterator[Span]:
    """The second secret of a pair, in a few pieces."""
    found = _BESIDE.match(view.text, after)
    start = found.end() if found else after
    end = start + length
    secret = view.text[start:end]
    pieces = bisect_right(view.breaks, end - 1) - bisect_right(view.breaks, start) + 1
    mixed = all(any(map(kind, secret)) for kind in (str.isdigit, str.isupper, str.islower))
    if len(secret) == length and pieces <= _PIECES and mixed and _BASE64.fullmatch(secret):
        yield view.origin(start, end)


def _end_of(text: str, view: View, shape: TokenShape, at: int) -> int:
    """Where a broken token ends that begins here; 0 when none does."""
    if not starts_anew(text, view.origin(at, at + 1)[0]):
        return 0
    reach = shape.reach(view.text, at)
    first = bisect_right(view.breaks, at)
    if not reach or first == len(view.breaks) or view.breaks[first] >= reach:
        return 0  # nothing, or in one piece
    end, loose = _cut(text, view, shape, (at, reach))
    token = view.text[at:end]
    if not shape.fits(token):
        return 0
    # With spaces in it, it may as well be words.
    return end if not loose or sum(map(str.isdigit, token[len(shape.start) :])) >= _DIGITS else 0


def _cut(text: str, view: View, shape: TokenShape, reached: Span) -> tuple[int, bool]:
    """Where the token stops within what would match, and whether spaces break it."""
    at, reach = reached
    loose = False
    for number in range(bisect_right(view.breaks, at), len(view.breaks)):
        joint = view.breaks[number]
        if joint >= reach:
            break
        gap = text[view.origin(at, joint)[1] : view.origin(joint, joint + 1)[0]]
        glued = not gap.isspace() and gap[-1:] in "\"'`"
        if not glued and joint - at >= shape.shortest:
            stop = view.breaks[number + 1] if number + 1 < len(view.breaks) else reach
            piece = _PIECE.match(view.text, joint, min(stop, reach))
            if "\n" not in gap or piece is None or not _CONTINUES.fullmatch(piece[0]):
                return joint, loose
        loose = loose or not (glued or "\n" in gap)
    return reach, loose
