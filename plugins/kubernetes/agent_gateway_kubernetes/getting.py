"""`kubectl get`: tables as the server makes them, or objects as YAML, JSON, names, paths and columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import agent_gateway as ag

from .columns import show_columns, sort_objects
from .listing import Found, Wanted, read_objects, read_table
from .paths import render
from .pruning import prune, refuse_secret
from .scope import Scope
from .tables import TableStyle, show_table
from .yaml_text import to_yaml

_TABLES = frozenset({"", "wide"})


async def get(scope: Scope) -> str:
    """Objects, as the command wants to see them."""
    output = scope.option("output")
    wanted = await scope.wanted()
    if output in _TABLES:
        return await _tables(scope, wanted)
    found = [await read_objects(scope.api, each) for each in wanted]
    objects = [prune(one) for each in found for one in each.objects]
    if scope.option("sort-by"):
        objects = sort_objects(objects, scope.option("sort-by"))
    notes = [each.note for each in found if each.note]
    if output == "name":
        text = _names(wanted, found)
    else:
        single = len(wanted) == 1 and len(wanted[0].names) == 1 and len(objects) == 1
        text = show_objects(output, objects, single=single, headers=not scope.command.flag("no-headers"))
    return "\n".join([text, *(f"# {note}" for note in notes)])


def show_objects(output: str, objects: Sequence[Any], *, single: bool, headers: bool = True) -> str:
    """Objects in one of the forms that are not tables; `InvalidInput` for another."""
    form, _, template = output.partition("=")
    whole = objects[0] if single else {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": list(objects)}
    forms: Mapping[str, Callable[[], str]] = {
        "yaml": lambda: to_yaml(whole),
        "json": lambda: json.dumps(whole, indent=2, ensure_ascii=False, sort_keys=True),
        "jsonpath": lambda: render(template, whole),
        "jsonpath-as-json": lambda: render(template, whole),
        "custom-columns": lambda: show_columns(template, objects, headers=headers),
    }
    if form not in forms or (form in {"jsonpath", "jsonpath-as-json", "custom-columns"} and not template):
        raise ag.InvalidInput(
            f"the output {output[:60]!r} is not known",
            hint="wide, yaml, json, name, jsonpath=TEMPLATE and custom-columns=SPEC are",
        )
    return forms[form]()


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
        for row in found.table.get("rows") or []:
            refuse_secret(row.get("object") or {})
        if sort_by:
            found.table["rows"] = _sorted_rows(found.table.get("rows") or [], sort_by)
        text = show_table(found.table, _style(scope, each, several=several))
        if text:
            parts.append(f"{text}\n{found.note}" if found.note else text)
    if parts:
        return "\n\n".join(parts)
    if scope.command.flag("ignore-not-found"):
        return "(nothing)"
    where = f" in the namespace '{scope.namespace}'" if scope.namespace and wanted[0].resource.namespaced else ""
    return f"No resources found{where}."


def _sorted_rows(rows: Sequence[dict[str, Any]], path: str) -> list[dict[str, Any]]:
    """Rows by a value of the object that each is about."""
    marked = [{**(row.get("object") or {}), "": row} for row in rows]
    return [each[""] for each in sort_objects(marked, path)]


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
