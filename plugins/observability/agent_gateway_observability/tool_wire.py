"""What both ends of the MCP connection agree on: how a tool is told apart, and how an error travels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import agent_gateway as ag

_ERRORS: Mapping[str, type[ag.GatewayError]] = {
    each.__name__: each for each in (ag.InvalidInput, ag.NotFound, ag.Conflict, ag.Forbidden, ag.Unavailable)
}


def fingerprint(description: str, schema: Mapping[str, Any]) -> str:
    """The SHA-256 of what a model is told of a tool, in hexadecimal digits."""
    told = json.dumps([description, schema], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()


def difference(own: ag.Tool, description: str, schema: Mapping[str, Any]) -> str:
    """In what another's tool of this name differs, in a few words; empty when it is the same."""
    if fingerprint(own.description, own.parameters) == fingerprint(description, schema):
        return ""
    if dict(schema) == dict(own.parameters):
        return "its description is another"
    theirs, ours = _properties(schema), _properties(own.parameters)
    found = [f"lacks {name}" for name in ours if name not in theirs]
    found += [f"also takes {name[:60]}" for name in theirs if name not in ours]
    found += [f"has another {name}" for name in ours if name in theirs and theirs[name] != ours[name]]
    return f"it {', '.join(found)}" if found else "its schema is another"


def pack_error(error: ag.GatewayError) -> dict[str, Any]:
    """An error as a JSON object."""
    return {"error": type(error).__name__, "code": error.code, "detail": error.detail, "hint": error.hint}


def unpack_error(packed: Any, text: str) -> ag.GatewayError:
    """The error that was packed, else one with this text."""
    if isinstance(packed, dict) and packed.get("error") in _ERRORS:
        detail, code, hint = (str(packed.get(name) or "") for name in ("detail", "code", "hint"))
        return _ERRORS[packed["error"]](detail or text, code=code or None, hint=hint)
    return ag.Unavailable(text, code="mcp_failed")


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}
