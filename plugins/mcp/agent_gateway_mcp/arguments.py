"""Arguments of an accepted tool: checked against its whole JSON schema before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from .checking import checker, dialect_fault
from .untrusted import unseen_in_schema

_LARGEST_SCHEMA = 20_000
#: By this name a tool is given what allows its write.
_TAKEN = "warrant"
_TYPES: Mapping[str, Any] = {
    "string": str, "integer": int, "number": int | float, "boolean": bool, "array": list[Any], "object": dict[str, Any],
}  # fmt: skip


def arguments_type(name: str, schema: Mapping[str, Any]) -> type[msgspec.Struct]:
    """The struct that arguments are converted to. Making one raises unless they follow the schema."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    required = list(schema.get("required", ()))
    fields: list[Any] = [(each, _type_of(properties.get(each, {}))) for each in required]
    fields += [(each, _type_of(below) | None, None) for each, below in properties.items() if each not in required]
    find_fault = checker(schema)

    def check(arguments: msgspec.Struct) -> None:
        if fault := find_fault(given_arguments(schema, msgspec.structs.asdict(arguments))):
            raise ValueError(fault)

    return msgspec.defstruct(
        f"{name}_arguments", fields, kw_only=True, forbid_unknown_fields=True, namespace={"__post_init__": check}
    )


def given_arguments(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that are sent: an optional one that is null was not given."""
    required = schema.get("required", ())
    return {name: value for name, value in arguments.items() if value is not None or name in required}


def shape_fault(schema: Mapping[str, Any]) -> str:
    """Why calls cannot be made by such a schema, told from its outline; empty when they can."""
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if schema.get("type") != "object" or not isinstance(properties, Mapping) or not isinstance(required, list):
        return "its input schema is not that of an object"
    for name in [*properties, *required]:
        if not isinstance(name, str) or not name.isidentifier() or name.startswith("__") or name == _TAKEN:
            return f"its argument '{str(name)[:60]}' has a name that cannot be handed on: letters, digits and _ can"
    for name, below in properties.items():
        choices = below.get("anyOf", []) if isinstance(below, Mapping) else None
        if not isinstance(choices, list) or not all(isinstance(each, Mapping) for each in choices):
            return f"its argument '{name[:60]}' is not described"
    return ""


def schema_fault(schema: Mapping[str, Any]) -> str:
    """Why a schema cannot be accepted, told from all of it; empty when it can."""
    if fault := shape_fault(schema):
        return fault
    if len(json.dumps(schema)) > _LARGEST_SCHEMA:
        return f"its input schema is longer than {_LARGEST_SCHEMA} characters"
    if unseen_in_schema(schema):
        return "its input schema holds characters that nobody sees"
    return f"its input schema {fault}" if (fault := dialect_fault(schema)) else ""


def _type_of(schema: Mapping[str, Any]) -> Any:
    """The type whose readings of text are tolerated; what has none is checked by the schema alone."""
    named = schema.get("type")
    if isinstance(named, list) and len(named) == 2 and "null" in named:
        (other,) = (each for each in named if each != "null") if named.count("null") == 1 else ("",)
        return _TYPES[other] | None if other in _TYPES else Any
    return _TYPES.get(named, Any) if isinstance(named, str) else Any
