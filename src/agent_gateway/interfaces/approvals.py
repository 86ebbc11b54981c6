"""Approvals, the effect journal and the audit log, as the gate and the edge use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from agent_gateway.approval import Approval, EffectRecord, HumanDecision
from agent_gateway.tool import Outcome, ToolResult


class ApprovalQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which approvals to list, newest first; an empty field does not restrict. `pending` leaves out what is decided."""

    persona: str = ""
    requester: str = ""
    run_id: str = ""
    pending: bool = False
    limit: int = 100


class ApprovalDecision(msgspec.Struct, frozen=True, kw_only=True):
    """A human's decision; `by` is who, `comment` what they wrote with it. `differs`: not by the requester."""

    decision: HumanDecision
    by: str
    comment: str = ""
    differs: bool = False


class Approvals(Protocol):
    """Durable approvals. Every change is one transaction, with its row of the audit log."""

    async def request(self, approval: Approval) -> Approval:
        """Store a new one and return it, or return the one that this run's call already has."""
        ...

    async def of_call(self, run_id: str, call_id: str) -> Approval | None:
        """The approval of a call; one whose time is over is `expired`."""
        ...

    async def get(self, approval_id: str) -> Approval:
        """The approval; `NotFound` (code `approval_not_found`). Whether the caller may see it is the edge's matter."""
        ...

    async def list(self, query: ApprovalQuery) -> Sequence[Approval]:
        """The approvals that a query describes."""
        ...

    async def decide(self, approval_id: str, decision: ApprovalDecision) -> Approval:
        """Decide once and let the run go on. The same decision by the same human again changes nothing.

        `NotFound`; `Conflict` with code `approval_decided` or `approval_expired`, or `same_person` when the approver
        must differ from the requester.
        """
        ...


class Journal(Protocol):
    """The effect journal: intent row -> effect -> outcome row."""

    async def find(self, key: str) -> EffectRecord | None:
        """The effect with this idempotency key."""
        ...

    async def begin(self, record: EffectRecord) -> bool:
        """Store the intent row, and spend the approval it names in the same transaction; durable on return.

        False when there is a row with this key already: somebody else has begun this effect. `Conflict` (code
        `approval_spent`) when the approval is not approved any more.
        """
        ...

    async def finish(self, key: str, outcome: Outcome, result: ToolResult) -> None:
        """Store the outcome row; durable on return."""
        ...


class Audit(Protocol):
    """The append-only, tamper-evident log of what was asked, decided and done."""

    async def note(self, kind: str, details: Mapping[str, Any]) -> None:
        """Append an entry, durable on return. `kind` is a word like `call_denied`; `details` is JSON."""
        ...
