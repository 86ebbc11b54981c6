"""What happens to approvals: each change is one guarded statement, with its row of the audit log.

The guard is in the statement that changes: of any number of decisions on one approval one finds it pending.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from agent_gateway.approval import Approval, ApprovalStatus, HumanDecision
from agent_gateway.errors import Conflict
from agent_gateway.interfaces import ApprovalDecision
from agent_gateway.runs.approval_rows import (
    COLUMNS,
    approval_not_found,
    as_of,
    described,
    find_approval,
    find_of_call,
)
from agent_gateway.runs.audit_chain import AuditChain
from agent_gateway.runs.identifiers import Moment

OPEN = "status IN ('pending', 'approved')"

_INSERT = f"INSERT INTO approvals ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 the columns are the fields of a struct
_MADE: dict[HumanDecision, ApprovalStatus] = {"approve": "approved", "reject": "rejected"}


def insert_approval(
    connection: sqlite3.Connection, *, chain: AuditChain, row: tuple[Any, ...], approval: Approval, now: Moment
) -> Approval:
    """Store a new approval as `row`, or return the one that its call has already."""
    existing = find_of_call(connection, run_id=approval.run_id, call_id=approval.call_id)
    if existing is not None:
        return as_of(existing, now)
    if find_approval(connection, approval_id=approval.id) is not None:
        raise Conflict(f"there is another approval {approval.id!r}", code="approval_exists")
    connection.execute(_INSERT, row)
    details = {"expires_at": approval.expires_at, "effect": approval.effect, "digest": approval.digest}
    chain.append(connection, now.text, "approval_requested", described(approval) | details)
    return approval


def decide_approval(
    connection: sqlite3.Connection, *, chain: AuditChain, approval_id: str, decision: ApprovalDecision, now: Moment
) -> Approval:
    """Decide on a pending approval; raises what stands against it."""
    approval = find_approval(connection, approval_id=approval_id)
    if approval is None:
        raise approval_not_found(approval_id)
    if approval.status == "pending" and decision.differs and approval.requester == decision.by:
        raise Conflict("who asked for this may not decide on it", code="same_person", hint="ask somebody else")
    made = _MADE[decision.decision]
    changed = connection.execute(
        "UPDATE approvals SET status = ?, approver = ?, decided_at = ?, comment = ?"
        " WHERE id = ? AND status = 'pending' AND deadline > ?",
        (made, decision.by, now.text, decision.comment, approval_id, now.microseconds),
    )
    if changed.rowcount == 0:
        return _refuse(connection, chain, approval, decision, now)
    details = {"decision": decision.decision, "by": decision.by}
    chain.append(connection, now.text, "approval_decided", described(approval) | details)
    return msgspec.structs.replace(
        approval, status=made, approver=decision.by, decided_at=now.text, comment=decision.comment
    )


def spend_approval(connection: sqlite3.Connection, *, approval_id: str, run_id: str, call_id: str, now: Moment) -> None:
    """Use an approval up; `Conflict` when it does not allow this call now."""
    changed = connection.execute(
        "UPDATE approvals SET status = 'spent'"
        " WHERE id = ? AND run_id = ? AND call_id = ? AND status = 'approved' AND deadline > ?",
        (approval_id, run_id, call_id, now.microseconds),
    )
    if changed.rowcount:
        return
    approval = find_approval(connection, approval_id=approval_id)
    if approval is None or (approval.run_id, approval.call_id) != (run_id, call_id):
        raise Conflict("there is no such approval of this call", code="approval_spent")
    raise Conflict(f"the approval is {as_of(approval, now).status}", code="approval_spent")


def close_approvals(
    connection: sqlite3.Connection, *, chain: AuditChain, ids: list[str], status: ApprovalStatus, at: str
) -> None:
    """Let approvals that are still open end as `expired` or `void`."""
    for approval_id in ids:
        changed = connection.execute(
            f"UPDATE approvals SET status = ? WHERE id = ? AND {OPEN}",  # noqa: S608 the condition is a constant
            (status, approval_id),
        )
        approval = find_approval(connection, approval_id=approval_id) if changed.rowcount else None
        if approval is not None:
            chain.append(connection, at, f"approval_{status}", described(approval))


def _refuse(
    connection: sqlite3.Connection, chain: AuditChain, approval: Approval, decision: ApprovalDecision, now: Moment
) -> Approval:
    """The approval, when this very decision was made before."""
    if approval.status == "pending":
        close_approvals(connection, chain=chain, ids=[approval.id], status="expired", at=now.text)
        raise _expired()
    made = "reject" if approval.status == "rejected" else "approve"
    if approval.approver == decision.by and approval.decided_at and made == decision.decision:
        return as_of(approval, now)
    if approval.status == "expired":
        raise _expired()
    ended = "its run has ended" if approval.status == "void" else f"it is {approval.status}"
    raise Conflict(f"nothing is left to decide: {ended}", code="approval_decided")


def _expired() -> Conflict:
    return Conflict("the time to decide on this is over", code="approval_expired", hint="ask for it again")
