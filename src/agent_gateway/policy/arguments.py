"""Arguments as a model writes them, made into those a tool takes: what is meant is clear, or the error says what is."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from agent_gateway.errors import InvalidInput
from agent_gateway.tool import Tool

_LONGEST_VALUE = 80


def convert_arguments(tool: Tool, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by name, with the types of the tool's signature; `InvalidInput` says what to mend.

    Text becomes the number, truth value or list that is asked for, and null stands for an argument that is not given.
    """
    properties: Mapping[str, Any] = tool.parameters.get("properties", {})
    required = tool.parameters.get("required", ())
    try:
        softened = {
            name: _soften(value, properties.get(name, {}))
            for name, value in given.items()
            if value is not None or name in required or _accepts(properties.get(name, {}), "null")
        }
        if not _is_finite(softened):
            raise InvalidInput(_explain(tool, given, "a number must be finite"))
        arguments = msgspec.convert(softened, tool.arguments, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInput(_explain(tool, given, str(error))) from None
    except RecursionError:
        raise InvalidInput(_explain(tool, given, "the arguments are nested too deeply")) from None
    return msgspec.structs.asdict(arguments)


def _is_finite(value: Any) -> bool:
    """Whether all numbers are such: JSON has no other, so they would be shown as something else than is done."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(map(_is_finite, value.values()))
    return not isinstance(value, list) or all(map(_is_finite, value))


def _soften(value: Any, schema: Mapping[str, Any]) -> Any:
    """A value of another JSON type than the schema's, where only one reading of it makes sense."""
    for kind, soften in _SOFTENERS.items():
        if _accepts(schema, kind) and not _accepts(schema, _kind(value)):
            return soften(value)
    return value


def _as_text(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, bool | int | float) else value


def _as_list(value: Any) -> Any:
    parsed = _parsed(value)
    return parsed if isinstance(parsed, list) else [value]


def _as_object(value: Any) -> Any:
    parsed = _parsed(value)
    return parsed if isinstance(parsed, dict) else value


def _parsed(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


_SOFTENERS: Mapping[str, Callable[[Any], Any]] = {"string": _as_text, "array": _as_list, "object": _as_object}


def _kind(value: Any) -> str:
    kinds: tuple[tuple[Any, str], ...] = (
        (bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array"), (dict, "object")
    )  # fmt: skip
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")


def _accepts(schema: Mapping[str, Any], kind: str) -> bool:
    """Whether a schema names this type, or an alternative of it does; what it refers to is an object."""
    if "$ref" in schema:
        return kind == "object"
    named = schema.get("type", ())
    names = (named,) if isinstance(named, str) else named
    if kind in names or (kind == "integer" and "number" in names):
        return True
    return any(_accepts(each, kind) for each in schema.get("anyOf", ()))


def _explain(tool: Tool, given: Mapping[str, Any], error: str) -> str:
    """Which argument, what was expected, and what the tool takes at all."""
    properties: Mapping[str, Any] = tool.parameters.get("properties", {})
    unknown = [name for name in given if name not in properties]
    missing = [name for name in tool.parameters.get("required", ()) if name not in given]
    if unknown or missing:
        faults = [f"there is no argument {_quoted(unknown)}"] * bool(unknown)
        faults += [f"{_quoted(missing)} must be given"] * bool(missing)
        fault = "; ".join(faults)
    else:
        fault = error[:1].lower() + error[1:].replace(" - at `$.", " (argument `").replace("`$", "`")
        fault = fault + ")" if "(argument `" in fault else fault
    taken = ", ".join(describe_argument(name, tool) for name in properties) or "no arguments"
    return f"The call does not fit '{tool.name}': {fault}. It takes: {taken}."


def describe_argument(name: str, tool: Tool) -> str:
    """An argument with its type and whether it must be given."""
    schema = tool.parameters["properties"][name]
    kinds = schema.get("enum") or schema.get("type") or [each.get("type", "value") for each in schema.get("anyOf", ())]
    kind = kinds if isinstance(kinds, str) else " or ".join(map(str, kinds)) or "object"
    optional = "" if name in tool.parameters.get("required", ()) else ", optional"
    return f"{name} ({kind[:_LONGEST_VALUE]}{optional})"


def _quoted(names: list[str]) -> str:
    return ", ".join(f"'{name[:_LONGEST_VALUE]}'" for name in names)
