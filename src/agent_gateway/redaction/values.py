"""Secrets in nested JSON values: found by the text of a value, and by what it is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_gateway.redaction.finding import MARK, redact
from agent_gateway.redaction.names import Telling, judge_name
from agent_gateway.redaction.worth import is_secret_value

#: Deeper than any JSON that is read here; what lies deeper is left out rather than looked through.
_DEEPEST = 100


def redact_value(value: Any, depth: int = 0) -> Any:
    """Redact every string of nested mappings and lists, keys too; a value whose name tells that it is one is replaced.

    Everything else is returned as it is. `data` and `stringData` of a Kubernetes Secret are replaced whole.
    """
    if isinstance(value, str):
        return redact(value)
    if depth > _DEEPEST:
        return MARK if isinstance(value, Mapping | list | tuple) else value
    if isinstance(value, Mapping):
        return _redact_mapping(value, depth)
    if isinstance(value, list):
        return [redact_value(item, depth + 1) for item in value]
    if type(value) is tuple:
        return tuple(redact_value(item, depth + 1) for item in value)
    return value


def _redact_mapping(value: Mapping[Any, Any], depth: int) -> dict[Any, Any]:
    secret = value.get("kind") == "Secret"
    named = value.get("name") if "value" in value else None
    result: dict[Any, Any] = {}
    for key, item in value.items():
        if secret and key in {"data", "stringData"} and isinstance(item, Mapping):
            inside: Any = dict.fromkeys(item, MARK)
        else:
            telling = judge_name(str(named if key == "value" and named else key))
            inside = _redact_named(item, telling, depth)
        result[redact(key) if isinstance(key, str) else key] = inside
    return result


def _redact_named(value: Any, telling: Telling, depth: int) -> Any:
    """Redact a value whose name says so much; what is below a telling name is judged by its own names."""
    if isinstance(value, list):
        return [_redact_named(item, telling, depth + 1) for item in value]
    plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    if plain and is_secret_value(telling, str(value)):
        return MARK
    return redact_value(value, depth + 1)
