from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.unit.runs.acting import APPROVE, REJECT, approval, eventually, later

from agent_gateway.approval import Approval
from agent_gateway.errors import Conflict, GatewayError, InvalidInput, NotFound
from agent_gateway.interfaces import ApprovalDecision, ApprovalQuery

if TYPE_CHECKING:
    from .conftest import Desk


async def kinds(desk: Desk) -> list[str]:
    """The kinds of the audit log's entries."""

    def read(connection: sqlite3.Connection) -> list[str]:
        return [kind for (kind,) in connection.execute("SELECT kind FROM audit ORDER BY seq")]

    return await desk.runs._database.read(read)


async def until_noted(desk: Desk, kind: str, times: int = 1) -> None:
    """Return when the audit log has so many entries of a kind."""

    async def look() -> bool | None:
        return (await kinds(desk)).count(kind) == times or None

    await eventually(look)


async def test_approval_is_stored_as_it_was_asked_for_and_once_for_a_call(desk: Desk) -> None:
    asked = approval()
    assert await desk.runs.approvals.request(asked) == asked
    assert await desk.runs.approvals.request(approval(id="another")) == asked
    await desk.reopen()
    assert await desk.runs.approvals.get(asked.id) == asked
    assert await desk.runs.approvals.of_call("run_1", "call_1") == asked
    assert await desk.runs.approvals.of_call("run_1", "call_2") is None
    with pytest.raises(NotFound) as caught:
        await desk.runs.approvals.get("another")
    assert caught.value.code == "approval_not_found"
    with pytest.raises(Conflict):
        await desk.runs.approvals.request(approval("run_2", id=asked.id))
    assert await kinds(desk) == ["approval_requested"]


async def test_decision_is_stored_with_who_made_it(desk: Desk) -> None:
    asked = await desk.runs.approvals.request(approval())
    decided = await desk.runs.approvals.decide(asked.id, APPROVE)
    assert (decided.status, decided.approver, decided.comment) == ("approved", "ann", "go on")
    await desk.reopen()
    assert await desk.runs.approvals.get(asked.id) == decided
    assert decided.decided_at > decided.created_at
    assert await desk.runs.approvals.decide(asked.id, APPROVE) == decided
    assert await kinds(desk) == ["approval_requested", "approval_decided"]


async def test_of_many_decisions_at_once_exactly_one_is_made(desk: Desk) -> None:
    asked = await desk.runs.approvals.request(approval())
    decisions = [
        ApprovalDecision(decision="approve" if number % 2 else "reject", by=f"human {number}") for number in range(50)
    ]
    results = await asyncio.gather(
        *(desk.runs.approvals.decide(asked.id, decision) for decision in decisions), return_exceptions=True
    )
    made = [result for result in results if isinstance(result, Approval)]
    assert [result.code for result in results if isinstance(result, Conflict)] == ["approval_decided"] * 49
    assert await desk.runs.approvals.get(asked.id) == made[0]
    assert await kinds(desk) == ["approval_requested", "approval_decided"]


@pytest.mark.parametrize(
    ("changes", "decision", "code"),
    [
        ({}, ApprovalDecision(decision="approve", by="local", differs=True), "same_person"),
        ({"expires_at": later(-1)}, APPROVE, "approval_expired"),
    ],
)
async def test_decision_that_may_not_be_made_says_why(
    desk: Desk, changes: dict[str, str], decision: ApprovalDecision, code: str
) -> None:
    asked = await desk.runs.approvals.request(approval(**changes))
    with pytest.raises(GatewayError) as caught:
        await desk.runs.approvals.decide(asked.id, decision)
    assert caught.value.code == code
    with pytest.raises(NotFound):
        await desk.runs.approvals.decide("approval-0", decision)


async def test_requester_may_decide_where_that_is_allowed_and_anybody_else_where_not(desk: Desk) -> None:
    own = await desk.runs.approvals.request(approval())
    other = await desk.runs.approvals.request(approval("run_2"))
    assert (await desk.runs.approvals.decide(own.id, ApprovalDecision(decision="approve", by="local"))).approver
    assert (
        await desk.runs.approvals.decide(other.id, msgspec.structs.replace(APPROVE, differs=True))
    ).approver == "ann"


async def test_other_decision_by_the_same_human_comes_too_late(desk: Desk) -> None:
    asked = await desk.runs.approvals.request(approval())
    await desk.runs.approvals.decide(asked.id, REJECT)
    with pytest.raises(Conflict) as caught:
        await desk.runs.approvals.decide(asked.id, APPROVE)
    assert caught.value.code == "approval_decided"
    assert (await desk.runs.approvals.decide(asked.id, REJECT)).status == "rejected"


async def test_decision_is_made_also_when_who_made_it_goes_away(desk: Desk) -> None:
    asked = await desk.runs.approvals.request(approval())
    deciding = asyncio.create_task(desk.runs.approvals.decide(asked.id, APPROVE))
    await asyncio.sleep(0)
    deciding.cancel()
    await asyncio.wait([deciding])
    assert deciding.cancelled()
    await until_noted(desk, "approval_decided")
    assert (await desk.runs.approvals.get(asked.id)).status == "approved"


async def test_pending_approval_expires_by_itself_and_an_approved_one_that_nobody_used(desk: Desk) -> None:
    kept = await desk.runs.approvals.request(approval("run_1"))
    asked = await desk.runs.approvals.request(approval("run_2", expires_at=later(0.2)))
    unused = await desk.runs.approvals.request(approval("run_3", expires_at=later(0.1)))
    await desk.runs.approvals.decide(unused.id, APPROVE)
    await until_noted(desk, "approval_expired", times=2)
    assert [(await desk.runs.approvals.get(each.id)).status for each in (kept, asked, unused)] == [
        "pending",
        "expired",
        "expired",
    ]
    with pytest.raises(Conflict) as caught:
        await desk.runs.approvals.decide(asked.id, APPROVE)
    assert caught.value.code == "approval_expired"


async def test_approval_whose_time_is_over_is_expired_before_anybody_has_noted_it(desk: Desk) -> None:
    asked = await desk.runs.approvals.request(approval(expires_at=later(0.05)))
    await desk.reopen()
    await asyncio.sleep(0.06)
    assert (await desk.runs.approvals.get(asked.id)).status == "expired"
    assert await desk.runs.approvals.list(ApprovalQuery(pending=True)) == []
    assert await kinds(desk) == ["approval_requested"]
    await desk.runs.recover()
    assert await kinds(desk) == ["approval_requested", "approval_expired"]


async def test_timer_goes_on_after_a_restart(desk: Desk) -> None:
    asked = await desk.runs.approvals.request(approval(expires_at=later(0.3)))
    await desk.reopen()
    await desk.runs.recover()
    assert (await desk.runs.approvals.get(asked.id)).status == "pending"
    await until_noted(desk, "approval_expired")


async def test_list_is_narrowed_down_and_newest_first(desk: Desk) -> None:
    asked = [
        await desk.runs.approvals.request(
            approval(f"run_{number}", persona=("bruno", "auditor")[number % 2], created_at=later(number))
        )
        for number in range(4)
    ]
    await desk.runs.approvals.decide(asked[3].id, REJECT)

    async def found(query: ApprovalQuery) -> list[str]:
        return [each.run_id for each in await desk.runs.approvals.list(query)]

    assert await found(ApprovalQuery()) == ["run_3", "run_2", "run_1", "run_0"]
    assert await found(ApprovalQuery(persona="auditor")) == ["run_3", "run_1"]
    assert await found(ApprovalQuery(persona="auditor", pending=True)) == ["run_1"]
    assert await found(ApprovalQuery(run_id="run_2", requester="local")) == ["run_2"]
    assert await found(ApprovalQuery(requester="somebody else")) == []
    assert await found(ApprovalQuery(limit=2)) == ["run_3", "run_2"]


@pytest.mark.parametrize(
    "changes",
    [{"summary": "\ud800"}, {"arguments": {"x": object()}}, {"expires_at": "soon"}],
    ids=["text", "object", "time"],
)
async def test_what_cannot_be_stored_is_refused_and_harms_nobody_else(desk: Desk, changes: dict[str, Any]) -> None:
    results = await asyncio.gather(
        desk.runs.approvals.request(approval(**changes)), desk.ask("hello"), return_exceptions=True
    )
    assert isinstance(results[0], InvalidInput)
    assert not isinstance(results[1], BaseException)
    assert results[1].status == "completed"
    with pytest.raises(InvalidInput):
        await desk.runs.approvals.decide("x", ApprovalDecision(decision="approve", by="ann", comment="\ud800"))
