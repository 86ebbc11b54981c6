"""`kubectl get`: tables as the server makes them, or objects as YAML, JSON, names, paths and columns."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from .columns import sort_objects
from .listing import Found, Wanted, read_objects, read_table
from .pruning import refuse_secret
from .scope import Scope
from .tables import TableStyle, show_table
from .views import View, view_of

_TABLES = frozenset({"", "wide"})


async def get(scope: Scope) -> str:
    """Objects, as the command wants to see them."""
    output, sort_by = scope.option("output"), scope.option("sort-by")
    if output in _TABLES:
        return await _tables(scope, await scope.wanted())
    view = view_of(output, headers=not scope.command.flag("no-headers")) if output != "name" else None
    wanted = await scope.wanted()
    found = [await read_objects(scope.api, each) for each in wanted]
    notes = [f"# {each.note}" for each in found if each.note]
    if view is None:
        return "\n".join([_names(wanted, found), *notes])
    objects = [one for each in found for one in each.objects]
    single = len(wanted) == 1 and len(wanted[0].names) == 1 and len(objects) == 1
    # In a thread: of many objects it takes seconds, for which everybody else would have to wait.
    text = await asyncio.to_thread(_show, view, objects, sort_by, single=single)
    return "\n".join([text, *notes])


def _show(view: View, objects: Sequence[Any], sort_by: str, *, single: bool) -> str:
    return view(sort_objects(objects, sort_by) if sort_by else objects, single)


def _names(wanted: Sequence[Wanted], found: Sequence[Found]) -> str:
    return "\n".join(
        f"{each.resource.one}/{one['metadata']['name']}"
        for each, read in zip(wanted, found, strict=True)
        for one in read.objects
    )


async def _tables(scope: Scope, wanted: Sequence[Wanted]) -> str:
    sort_by = scope.option("sort-by")
    several = len(wanted) > 1
    parts: list[str] = []
    for each in wanted:
        found = await read_table(scope.api, each, whole=bool(sort_by))
        rows = found.table.get("rows") or []
        for row in rows:
            refuse_secret(row.get("object") or {})
        if sort_by:
            found.table["rows"] = await asyncio.to_thread(sort_objects, rows, sort_by, _object_of)
        text = await asyncio.to_thread(show_table, found.table, _style(scope, each, several=several))
        if text:
            parts.append(f"{text}\n{found.note}" if found.note else text)
    if parts:
        return "\n\n".join(parts)
    if scope.command.flag("ignore-not-found"):
        return "(nothing)"
    where = f" in the namespace '{scope.namespace}'" if scope.namespace and wanted[0].resource.namespaced else ""
    return f"No resources found{where}."


def _object_of(row: dict[str, Any]) -> Any:
    """What a row is about."""
    return row.get("object") or {}


def _style(scope: Scope, wanted: Wanted, *, several: bool) -> TableStyle:
    command = scope.command
    return TableStyle(
        wide=scope.option("output") == "wide",
        headers=not command.flag("no-headers"),
        namespaces=command.all_namespaces and wanted.resource.namespaced,
        labels=tuple(scope.listed("label-columns")),
        show_labels=command.flag("show-labels"),
        kind=wanted.resource.one if several or command.flag("show-kind") else "",
    )
