"""Tables of text: those that the API server makes of objects, and our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

import agent_gateway as ag

_GAP = "   "
#: Characters that a table may have with all its columns filled up; a single long cell would make every row as long.
_LARGEST = 2_000_000


class TableStyle(msgspec.Struct, frozen=True, kw_only=True):
    """How a server's table is shown. `labels`: a column for each. `kind`: put before each name."""

    wide: bool = False
    headers: bool = True
    namespaces: bool = False
    labels: tuple[str, ...] = ()
    show_labels: bool = False
    kind: str = ""


def align(rows: Sequence[Sequence[str]]) -> str:
    """Rows as columns, like kubectl's."""
    if not rows:
        return ""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    if sum(widths) * len(rows) > _LARGEST:
        return "\n".join(_GAP.join(row) for row in rows)
    return "\n".join(
        _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def show_table(table: Mapping[str, Any], style: TableStyle) -> str:
    """A server's table as text; empty when it has no rows."""
    rows = table.get("rows") or []
    if not rows:
        return ""
    columns = table["columnDefinitions"]
    shown = [index for index, column in enumerate(columns) if style.wide or not column.get("priority")]
    header = [str(columns[index]["name"]).upper() for index in shown]
    header = [*(["NAMESPACE"] if style.namespaces else []), *header, *(_label_header(each) for each in style.labels)]
    if style.show_labels:
        header.append("LABELS")
    lines = [_cells(row, columns, shown, style) for row in rows]
    return align([header, *lines] if style.headers else lines)


def _cells(row: Mapping[str, Any], columns: Sequence[Any], shown: Sequence[int], style: TableStyle) -> list[str]:
    metadata = (row.get("object") or {}).get("metadata") or {}
    labels = metadata.get("labels") or {}
    cells = [_name(row, columns, index, style) for index in shown]
    if style.namespaces:
        cells.insert(0, str(metadata.get("namespace", "")))
    cells += [str(labels.get(each, "")) for each in style.labels]
    if style.show_labels:
        cells.append(",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "<none>")
    return cells


def _name(row: Mapping[str, Any], columns: Sequence[Any], index: int, style: TableStyle) -> str:
    value = row["cells"][index]
    text = "" if value is None else ag.redact(str(value)).replace("\n", " ")
    return f"{style.kind}/{text}" if style.kind and columns[index].get("format") == "name" else text


def _label_header(key: str) -> str:
    return key.rpartition("/")[2].upper()
