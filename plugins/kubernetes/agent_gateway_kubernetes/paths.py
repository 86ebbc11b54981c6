"""Values found by a path, within a bounded number of steps; and templates of text and paths."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

import agent_gateway as ag

from .path_parser import Descent, Fields, Filter, Index, Piece, Slice, Star, parse_path

#: A path that visits more values than this is not followed further.
_MOST_VALUES = 200_000
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": lambda one, other: bool(one == other),
    "!=": lambda one, other: bool(one != other),
    "<": lambda one, other: bool(one < other),
    "<=": lambda one, other: bool(one <= other),
    ">": lambda one, other: bool(one > other),
    ">=": lambda one, other: bool(one >= other),
}
_PIECES = re.compile(r"\{((?:'[^']*'|\"(?:[^\"\\]|\\.)*\"|[^{}'\"])*)\}")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}


class Loop(msgspec.Struct, frozen=True):
    """`{range PATH} ... {end}`."""

    path: tuple[Piece, ...]
    body: tuple[Any, ...]


def find(value: Any, steps: Sequence[Piece]) -> list[Any]:
    """Every value at a path."""
    found = [value]
    for step in steps:
        found = _bounded(each for one in found for each in _follow(one, step))
    return found


def _bounded(values: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for each in values:
        found.append(each)
        if len(found) > _MOST_VALUES:
            raise ag.InvalidInput("the path finds too many values", hint="make it narrower")
    return found


def _follow(value: Any, step: Piece) -> Iterator[Any]:
    match step:
        case Fields(names):
            yield from (value[name] for name in names if isinstance(value, dict) and name in value)
        case Star():
            yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        case Index(number):
            if isinstance(value, list) and -len(value) <= number < len(value):
                yield value[number]
        case Slice(start, stop):
            yield from value[start:stop] if isinstance(value, list) else ()
        case Descent():
            yield from _below(value)
        case Filter():
            items = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
            yield from (each for each in items if _passes(each, step))


def _below(value: Any) -> Iterator[Any]:
    yield value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in children:
        yield from _below(each)


def _passes(value: Any, step: Filter) -> bool:
    found = find(value, step.path)
    if step.operator == "exists":
        return bool(found)
    for each in found:
        numbers = isinstance(each, int | float) and isinstance(step.value, int | float)
        if (numbers or type(each) is type(step.value)) and _COMPARISONS[step.operator](each, step.value):
            return True
    return step.operator == "!=" and not found


def render(template: str, value: Any) -> str:
    """A template of text and `{paths}` filled in; text alone is taken for a path. `InvalidInput`."""
    if "{" not in template:
        template = "{" + template + "}"
    parts, rest = _parse(_split(template), nested=False)
    if rest:
        raise ag.InvalidInput("there is an {end} without a {range}")
    return "".join(_fill(parts, value))


def _split(template: str) -> list[tuple[bool, str]]:
    """Text and what stands in braces, in order; True for the latter."""
    pieces: list[tuple[bool, str]] = []
    position = 0
    for match in _PIECES.finditer(template):
        pieces += [(False, template[position : match.start()]), (True, match[1].strip())]
        position = match.end()
    rest = template[position:]
    if "{" in rest or "}" in rest:
        raise ag.InvalidInput("the braces of the template do not match")
    return [*pieces, (False, rest)]


def _parse(pieces: list[tuple[bool, str]], *, nested: bool) -> tuple[tuple[Any, ...], list[tuple[bool, str]]]:
    parts: list[Any] = []
    while pieces:
        (code, text), pieces = pieces[0], pieces[1:]
        if not code:
            parts.append(text)
        elif text == "end":
            return tuple(parts), pieces if nested else [(True, "end")]
        elif text.startswith("range "):
            body, pieces = _parse(pieces, nested=True)
            parts.append(Loop(parse_path(text.removeprefix("range ")), body))
        elif text[:1] in {'"', "'"}:
            parts.append(re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), text[1:-1]))
        else:
            parts.append(parse_path(text))
    if nested:
        raise ag.InvalidInput("a {range} has no {end}")
    return tuple(parts), []


def _fill(parts: Sequence[Any], value: Any) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, Loop):
            for each in find(value, part.path):
                yield from _fill(part.body, each)
        else:
            yield " ".join(map(plain, find(value, part)))


def plain(value: Any) -> str:
    """A value as text: strings as they are, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
