"""An approval: a human's single-use decision on one exact call; and the journal's row of an effect."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from agent_gateway.tool import Effect, Outcome, Target, ToolResult

#: `spent`: the call it allowed was begun, and it allows no other. `void`: its run ended before anybody decided.
ApprovalStatus: TypeAlias = Literal["pending", "approved", "rejected", "expired", "spent", "void"]
HumanDecision: TypeAlias = Literal["approve", "reject"]


class Approval(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A question to a human about one call, and the answer. Times are ISO 8601, UTC.

    `call_id` names the call within its run; at most one approval exists for it. `digest` is that of the canonical
    call: tool, arguments, persona, requester, run and targets. `reason` says why a human is asked, `summary` and
    `diff` what would change.
    """

    id: str
    run_id: str
    call_id: str
    persona: str
    requester: str
    tool: str
    arguments: dict[str, Any]
    effect: Effect
    digest: str
    reason: str
    summary: str
    diff: str = ""
    targets: tuple[Target, ...] = ()
    created_at: str
    expires_at: str
    status: ApprovalStatus = "pending"
    approver: str = ""
    decided_at: str = ""
    comment: str = ""


class EffectRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A write in the journal: its intent row, and the outcome once it is known.

    `key` is the idempotency key. `outcome` is empty from the intent until the outcome row; `result` is what the turn
    was told.
    """

    key: str
    run_id: str
    call_id: str
    persona: str
    requester: str
    tool: str
    arguments: dict[str, Any]
    targets: tuple[Target, ...] = ()
    approval: str = ""
    approver: str = ""
    comment: str = ""
    begun_at: str
    outcome: Outcome | Literal[""] = ""
    result: ToolResult | None = None
    ended_at: str = ""


def effect_key(run_id: str, call_id: str) -> str:
    """The idempotency key of a call's effect: one call of one run has one."""
    return f"{run_id}.{call_id}"
