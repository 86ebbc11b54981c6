"""Approvals in the database: how a row is written and read, and how an approval stands at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import msgspec

from agent_gateway.approval import Approval
from agent_gateway.errors import InvalidInput, NotFound
from agent_gateway.interfaces import ApprovalQuery
from agent_gateway.runs.identifiers import Moment, moment_of
from agent_gateway.tool import Target

#: The most approvals that are listed at a time.
PAGE_LIMIT = 500
#: The columns of a row, those of the struct first.
COLUMNS = (*Approval.__struct_fields__, "deadline")

_SELECT = f"SELECT {', '.join(Approval.__struct_fields__)} FROM approvals"  # noqa: S608 the columns are the fields of a struct
_TARGETS = msgspec.json.Decoder(tuple[Target, ...])


def row_of(approval: Approval) -> tuple[Any, ...]:
    """The row of an approval, in the order of `COLUMNS`; `InvalidInput` when it holds what cannot be stored."""
    try:
        encoded = {name: msgspec.json.encode(getattr(approval, name)).decode() for name in ("arguments", "targets")}
        values = [encoded.get(name) or getattr(approval, name) for name in Approval.__struct_fields__]
        msgspec.json.encode(values)
    except (TypeError, UnicodeEncodeError) as error:
        raise InvalidInput(f"the approval cannot be stored: {error}") from error
    return (*values, moment_of(approval.expires_at).microseconds)


def find_approval(connection: sqlite3.Connection, *, approval_id: str) -> Approval | None:
    """The approval, as it is stored."""
    return next(_approvals(connection, f"{_SELECT} WHERE id = ?", (approval_id,)), None)


def find_of_call(connection: sqlite3.Connection, *, run_id: str, call_id: str) -> Approval | None:
    """The approval of a call, as it is stored."""
    return next(_approvals(connection, f"{_SELECT} WHERE run_id = ? AND call_id = ?", (run_id, call_id)), None)


def list_approvals(connection: sqlite3.Connection, *, query: ApprovalQuery, now: Moment) -> list[Approval]:
    """The approvals that a query describes, newest first."""
    sql = (
        f"{_SELECT} WHERE ? IN ('', persona) AND ? IN ('', requester) AND ? IN ('', run_id)"
        " AND (? = 0 OR (status = 'pending' AND deadline > ?)) ORDER BY created_at DESC, id DESC LIMIT ?"
    )
    limit = max(1, min(query.limit, PAGE_LIMIT))
    given = (query.persona, query.requester, query.run_id, int(query.pending), now.microseconds, limit)
    return [as_of(approval, now) for approval in _approvals(connection, sql, given)]


def as_of(approval: Approval, now: Moment) -> Approval:
    """The approval as it stands at a time: one whose own time is over is expired, whether that is stored or not."""
    late = (
        approval.status in {"pending", "approved"} and moment_of(approval.expires_at).microseconds <= now.microseconds
    )
    return msgspec.structs.replace(approval, status="expired") if late else approval


def described(approval: Approval) -> dict[str, Any]:
    """What the audit log says of an approval: names, and nothing that a person wrote."""
    return {
        "approval": approval.id,
        "run": approval.run_id,
        "call": approval.call_id,
        "persona": approval.persona,
        "requester": approval.requester,
        "tool": approval.tool,
        "targets": approval.targets,
    }


def approval_not_found(approval_id: str) -> NotFound:
    """There is none, or it is not for this caller."""
    return NotFound(f"there is no approval {approval_id!r}", code="approval_not_found")


def _approvals(connection: sqlite3.Connection, sql: str, given: tuple[Any, ...]) -> Iterator[Approval]:
    for row in connection.execute(sql, given):
        fields = dict(zip(Approval.__struct_fields__, row, strict=True))
        fields["arguments"] = msgspec.json.decode(fields["arguments"])
        fields["targets"] = _TARGETS.decode(fields["targets"])
        yield Approval(**fields)
