"""Columns that the caller names: `NAME:.metadata.name,RESTARTS:.status.containerStatuses[0].restartCount`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import agent_gateway as ag

from .path_parser import Piece, parse_path
from .paths import find, plain
from .tables import align

_MOST_COLUMNS = 20


def show_columns(spec: str, objects: Sequence[Any], *, headers: bool = True) -> str:
    """Objects as a table of the columns of a spec; `InvalidInput`."""
    columns = _parse(spec)
    rows = [[_cell(each, path) for _, path in columns] for each in objects]
    return align([[name for name, _ in columns], *rows] if headers else rows)


def sort_objects(objects: Sequence[Any], path: str) -> list[Any]:
    """Objects in the order of the value at a path; those without one come first."""
    steps = parse_path(path.strip().removeprefix("{").removesuffix("}"))

    def key(each: Any) -> tuple[int, float, str]:
        found = find(each, steps)
        value = found[0] if found else None
        if value is None:
            return (0, 0.0, "")
        number = float(value) if isinstance(value, int | float) else 0.0
        return (1, number, "" if isinstance(value, int | float) else plain(value))

    return sorted(objects, key=key)


def _parse(spec: str) -> list[tuple[str, tuple[Piece, ...]]]:
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


def _cell(value: Any, path: Sequence[Piece]) -> str:
    found = find(value, path)
    return ",".join(ag.redact(plain(each)).replace("\n", " ") for each in found) if found else "<none>"
