"""The canonical call: what an approval is bound to, and the name of an effect."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from agent_gateway.approval import Approval
from agent_gateway.tool import ToolCall


def new_approval_id() -> str:
    """An id that nobody guesses."""
    return f"approval-{secrets.token_hex(10)}"


def plain_arguments(call: ToolCall) -> dict[str, Any]:
    """The arguments as JSON holds them, in one order: what is stored, compared, and bound to an approval."""
    # Sets have an order of their own in each process, and keys of other types are written as text.
    found = msgspec.to_builtins(call.arguments, str_keys=True, order="deterministic")
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(found))
    return plain


def digest_of(approval: Approval) -> str:
    """SHA-256 of everything that a human decides on; whoever changes any of it has another call."""
    bound: Mapping[str, Any] = {
        "run": approval.run_id,
        "call": approval.call_id,
        "persona": approval.persona,
        "requester": approval.requester,
        "tool": approval.tool,
        "arguments": approval.arguments,
        "effect": approval.effect,
        "summary": approval.summary,
        "diff": approval.diff,
        "targets": approval.targets,
        "expires": approval.expires_at,
    }
    return hashlib.sha256(msgspec.json.encode(bound, order="deterministic")).hexdigest()
