"""Columns that the caller names: `NAME:.metadata.name,RESTARTS:.status.containerStatuses[0].restartCount`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import agent_gateway as ag

from .path_parser import Piece, parse_path
from .paths import Budget, find, plain
from .pruning import conceal
from .tables import align

#: Headings and paths.
Columns: TypeAlias = Sequence[tuple[str, tuple[Piece, ...]]]
_MOST_COLUMNS = 20


def show_columns(columns: Columns, objects: Sequence[Any], *, headers: bool = True) -> str:
    """Objects as a table of columns, which `parse_columns` has read."""
    budget = Budget()
    rows = [[_cell(each, path, budget) for _, path in columns] for each in objects]
    return align([[name for name, _ in columns], *rows] if headers else rows)


def sort_objects(found: Sequence[Any], path: str, object_of: Callable[[Any], Any] = lambda each: each) -> list[Any]:
    """Objects, or what is about them, in the order of the value at a path; those without one come first.

    Values that may not be shown have no order either: it would tell what they are.
    """
    steps, budget = parse_path(path.strip().removeprefix("{").removesuffix("}")), Budget()

    def key(one: Any) -> tuple[int, float, str]:
        values = find(one, steps, budget)
        value = values[0] if values else None
        if value is None:
            return (0, 0.0, "")
        number = float(value) if isinstance(value, int | float) else 0.0
        return (1, number, "" if isinstance(value, int | float) else plain(value))

    keys = [key(each) for each in conceal([object_of(each) for each in found])]
    return [found[index] for index in sorted(range(len(found)), key=keys.__getitem__)]


def parse_columns(spec: str) -> Columns:
    """The columns of a spec, with their headings; `InvalidInput`."""
    columns = []
    for each in _split(spec):
        name, separator, path = each.partition(":")
        if not (separator and name and path):
            raise ag.InvalidInput(f"{each[:80]!r} is no column", hint="write NAME:.path.to.value, separated by commas")
        columns.append((name.strip(), parse_path(path.strip().removeprefix("{").removesuffix("}"))))
    if len(columns) > _MOST_COLUMNS:
        raise ag.InvalidInput(f"there may be {_MOST_COLUMNS} columns")
    return columns


def _split(spec: str) -> list[str]:
    """The columns; a comma within brackets separates nothing."""
    parts, depth = [""], 0
    for letter in spec:
        depth += (letter in "[(") - (letter in "])")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _cell(value: Any, path: Sequence[Piece], budget: Budget) -> str:
    found = find(value, path, budget)
    texts = [budget.write(plain(each)) for each in found]
    return ",".join(ag.redact(each).replace("\n", " ") for each in texts) if found else "<none>"
