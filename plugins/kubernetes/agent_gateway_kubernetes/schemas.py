"""What a kind's fields mean, from the API server's own description of itself."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Mapping
from typing import Any

import msgspec

import agent_gateway as ag

from .api import Api
from .resources import Resource

_DOCUMENT = "/openapi/v2"
_MOST_BYTES = 40_000_000
_GVK = "x-kubernetes-group-version-kind"


class Description(msgspec.Struct):
    """The part of the document that is read."""

    definitions: dict[str, dict[str, Any]] = {}


async def explain(api: Api, resource: Resource, fields: tuple[str, ...] = ()) -> str:
    """The documentation of a kind, or of a field of it; `NotFound`."""
    answer = await api.fetch(_DOCUMENT, accept="application/json", limit=_MOST_BYTES)
    # Some megabytes: long enough to be noticed by the other turns.
    document = await asyncio.to_thread(msgspec.json.decode, answer.body, type=Description)
    schema = _kind(document.definitions, resource)
    path = [resource.kind]
    for field in fields:
        below = _resolve(document.definitions, _items(schema)).get("properties") or {}
        if field not in below:
            hint = f"there are: {', '.join(sorted(below)[:40])}" if below else "it has no fields"
            raise ag.NotFound(f"{'.'.join(path)} has no field '{field[:80]}'", hint=hint)
        schema, path = below[field], [*path, field]
    return _show(document.definitions, schema, resource, path)


def _kind(definitions: Mapping[str, Any], resource: Resource) -> dict[str, Any]:
    wanted = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    for each in definitions.values():
        if wanted in (each.get(_GVK) or []):
            return dict(each)
    raise ag.NotFound(f"the cluster does not describe the kind '{resource.kind}' ({resource.api_version})")


def _resolve(definitions: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = str(schema.get("$ref", "")).removeprefix("#/definitions/")
    return definitions.get(reference, {}) if reference else schema


def _items(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a list or a map holds, else the thing itself."""
    inner = schema.get("items") or schema.get("additionalProperties")
    return inner if isinstance(inner, dict) else schema


def _show(definitions: Mapping[str, Any], schema: Mapping[str, Any], resource: Resource, path: list[str]) -> str:
    held = _resolve(definitions, _items(schema))
    text = str(schema.get("description") or held.get("description") or "(not described)")
    lines = [f"KIND: {resource.kind}", f"VERSION: {resource.api_version}"]
    if len(path) > 1:
        lines.append(f"FIELD: {'.'.join(path[1:])} <{_type(schema)}>")
    lines += ["", *textwrap.wrap(text, 110)]
    required = set(held.get("required") or ())
    properties = held.get("properties") or {}
    if properties:
        lines += ["", "FIELDS:"]
    for name, each in sorted(properties.items()):
        mark = " (required)" if name in required else ""
        described = str(each.get("description") or _resolve(definitions, _items(each)).get("description") or "")
        summary = textwrap.shorten(described.replace("\n", " "), 140, placeholder=" ...")
        lines.append(f"  {name} <{_type(each)}>{mark} {summary}".rstrip())
    return "\n".join(lines)


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition(".")[2]
    if schema.get("type") == "array":
        return f"[]{_type(schema.get('items') or {})}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"map[string]{_type(schema['additionalProperties'])}"
    return str(schema.get("type", "object"))
