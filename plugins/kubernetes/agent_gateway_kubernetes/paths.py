"""Values found by paths, and templates of text and paths filled in, within one budget for the whole of an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import agent_gateway as ag

from .path_parser import Descent, Fields, Filter, Index, Piece, Slice, Star
from .template_parser import Loop

#: Values that one answer looks at: the 500 objects of a list, each of them whole, a few times.
MOST_VALUES = 1_000_000
#: Characters that one answer may have; much more than anybody reads.
MOST_CHARACTERS = 1_000_000
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": lambda one, other: bool(one == other),
    "!=": lambda one, other: bool(one != other),
    "<": lambda one, other: bool(one < other),
    "<=": lambda one, other: bool(one <= other),
    ">": lambda one, other: bool(one > other),
    ">=": lambda one, other: bool(one >= other),
}


class Budget:
    """What is left of the values that may be looked at, and of the characters that may be written."""

    def __init__(self, values: int = MOST_VALUES, characters: int = MOST_CHARACTERS) -> None:
        self._values = values
        self._characters = characters

    def look(self, values: Iterable[Any]) -> Iterator[Any]:
        """Pass values on; `InvalidInput` once there were too many."""
        for each in values:
            self._values -= 1
            if self._values < 0:
                raise ag.InvalidInput(
                    "the paths visit too many values",
                    hint="make them narrower: name fields instead of `..` and `*`, or fewer objects",
                )
            yield each

    def write(self, text: str) -> str:
        """Pass text on; `InvalidInput` once there was too much."""
        self._characters -= len(text)
        if self._characters < 0:
            raise ag.InvalidInput(
                f"what the paths find is longer than {MOST_CHARACTERS} characters",
                hint="make them narrower, or name fewer objects",
            )
        return text


def find(value: Any, steps: Sequence[Piece], budget: Budget) -> list[Any]:
    """Every value at a path."""
    found = [value]
    for step in steps:
        found = list(budget.look(each for one in found for each in _follow(one, step, budget)))
    return found


def _follow(value: Any, step: Piece, budget: Budget) -> Iterator[Any]:
    match step:
        case Fields(names):
            yield from (value[name] for name in budget.look(names) if isinstance(value, dict) and name in value)
        case Star():
            yield from _children(value)
        case Index(number):
            if isinstance(value, list) and -len(value) <= number < len(value):
                yield value[number]
        case Slice(start, stop):
            yield from value[start:stop] if isinstance(value, list) else ()
        case Descent():
            yield from _below(value)
        case Filter():
            yield from (each for each in budget.look(_children(value)) if _passes(each, step, budget))


def _children(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _below(value: Any) -> Iterator[Any]:
    """A value and everything below it, in the order of the text."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        yield each
        waiting.extend(reversed(list(_children(each))))


def _passes(value: Any, step: Filter, budget: Budget) -> bool:
    found = find(value, step.path, budget)
    if step.operator == "exists":
        return bool(found)
    for each in found:
        numbers = isinstance(each, int | float) and isinstance(step.value, int | float)
        if (numbers or type(each) is type(step.value)) and _COMPARISONS[step.operator](each, step.value):
            return True
    return step.operator == "!=" and not found


def render(parts: Sequence[Any], value: Any) -> str:
    """A parsed template filled in; `InvalidInput` when it finds too much."""
    budget = Budget()
    return "".join(budget.write(text) for text in _fill(parts, value, budget))


def _fill(parts: Sequence[Any], value: Any, budget: Budget) -> Iterator[str]:
    for part in budget.look(parts):
        if isinstance(part, str):
            yield part
        elif isinstance(part, Loop):
            for each in find(value, part.path, budget):
                yield from _fill(part.body, each, budget)
        else:
            for number, each in enumerate(find(value, part, budget)):
                yield f" {plain(each)}" if number else plain(each)


def plain(value: Any) -> str:
    """A value as text: strings as they are, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
