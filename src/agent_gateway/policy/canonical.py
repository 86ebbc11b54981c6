"""The canonical call: what an approval is bound to, and the name of an effect."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from agent_gateway.approval import Approval


def new_approval_id() -> str:
    """An id that nobody guesses."""
    return f"approval-{secrets.token_hex(10)}"


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
