"""Typed conditions on a table's columns, compiled to SQL: values are always quoted, columns always known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

FilterColumn = Literal["id", "root", "source", "chunk", "run_id", "conversation_id", "persona", "owner"]


@dataclass(frozen=True, slots=True)
class Filter:
    """A column whose value is one of `values`; strings for every column but `chunk`, which takes integers."""

    column: FilterColumn
    values: tuple[str | int, ...]


def equals(column: FilterColumn, value: str | int) -> Filter:
    """The column has this value."""
    return Filter(column, (value,))


def compile_filters(filters: Sequence[Filter]) -> str:
    """All conditions together as SQL; empty for none. A filter without values matches nothing."""
    return " AND ".join(_compile(condition) for condition in filters)


def _compile(condition: Filter) -> str:
    if not condition.values:
        return "false"
    literals = ", ".join(_literal(value) for value in condition.values)
    return f"{condition.column} IN ({literals})"


def _literal(value: str | int) -> str:
    if isinstance(value, int):
        return str(int(value))
    # Standard SQL: within quotes only the quote itself is special, and is written twice.
    return "'" + value.replace("'", "''") + "'"
