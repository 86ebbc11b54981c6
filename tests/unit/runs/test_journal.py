from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.unit.runs.acting import APPROVE, approval, effect, later, result

from agent_gateway.approval import Approval
from agent_gateway.errors import Conflict, InvalidInput, NotFound
from agent_gateway.interfaces import Emit
from agent_gateway.messages import Run

if TYPE_CHECKING:
    from .conftest import Desk


async def approved(desk: Desk, **changes: Any) -> Approval:
    """An approval that allows a call."""
    asked = await desk.runs.approvals.request(approval(**changes))
    return await desk.runs.approvals.decide(asked.id, APPROVE)


async def entries(desk: Desk) -> list[tuple[str, dict[str, Any]]]:
    """Kind and details of the audit log's entries."""

    def read(connection: sqlite3.Connection) -> list[tuple[str, dict[str, Any]]]:
        rows = connection.execute("SELECT kind, details FROM audit ORDER BY seq")
        return [(kind, msgspec.json.decode(details)) for kind, details in rows]

    return await desk.runs._database.read(read)


async def test_intent_spends_the_approval_and_outcome_ends_it(desk: Desk) -> None:
    allowed = await approved(desk)
    record = effect(allowed)
    assert await desk.runs.journal.find(record.key) is None
    assert await desk.runs.journal.begin(record)
    await desk.reopen()
    assert await desk.runs.journal.find(record.key) == record
    assert (await desk.runs.approvals.get(allowed.id)).status == "spent"
    await desk.runs.journal.finish(record.key, "done", result(allowed))
    await desk.reopen()
    found = await desk.runs.journal.find(record.key)
    assert found is not None
    assert (found.outcome, found.result, found.arguments) == ("done", result(allowed), record.arguments)
    assert found.ended_at > found.begun_at


async def test_effect_is_begun_once_however_many_try(desk: Desk) -> None:
    record = effect(await approved(desk))
    begun = await asyncio.gather(*(desk.runs.journal.begin(record) for _ in range(20)))
    assert sorted(begun) == [False] * 19 + [True]
    assert [kind for kind, _ in await entries(desk)].count("effect_begun") == 1


@pytest.mark.parametrize("state", ["pending", "late", "of another call", "spent", "unknown"])
async def test_approval_that_does_not_allow_the_call_now_begins_nothing(desk: Desk, state: str) -> None:
    if state == "pending":
        asked = await desk.runs.approvals.request(approval())
    else:
        asked = await approved(desk, expires_at=later(0.1 if state == "late" else 60))
    record = effect(asked)
    if state == "late":
        await asyncio.sleep(0.11)
    elif state == "of another call":
        record = msgspec.structs.replace(record, call_id="call_2", key="k2")
    elif state == "spent":
        await desk.runs.journal.begin(record)
        record = msgspec.structs.replace(record, key="k2")
    elif state == "unknown":
        record = msgspec.structs.replace(record, approval="approval-0")
    with pytest.raises(Conflict) as caught:
        await desk.runs.journal.begin(record)
    assert caught.value.code == "approval_spent"
    if state != "spent":
        assert await desk.runs.journal.find(record.key) is None
        assert "effect_begun" not in [kind for kind, _ in await entries(desk)]


async def test_outcome_that_is_known_stays_and_one_that_is_not_may_become_known(desk: Desk) -> None:
    asked = approval()
    record = effect(asked, approval="")
    assert await desk.runs.journal.begin(record)
    for outcome in ("unknown", "done", "not_done"):
        await desk.runs.journal.finish(record.key, outcome, result(asked, outcome))
    found = await desk.runs.journal.find(record.key)
    assert found is not None
    assert (found.outcome, found.result) == ("done", result(asked, "done"))
    assert [details["outcome"] for kind, details in await entries(desk) if kind == "effect_ended"] == [
        "unknown",
        "done",
    ]
    with pytest.raises(NotFound):
        await desk.runs.journal.finish("nothing", "done", result(asked))


async def test_audit_log_names_tool_targets_and_people_and_nothing_that_was_written(desk: Desk) -> None:
    allowed = await approved(desk, arguments={"text": "very personal"}, summary="very personal", diff="very personal")
    record = effect(allowed, comment="very personal")
    await desk.runs.journal.begin(record)
    await desk.runs.journal.finish(record.key, "done", result(allowed, "very personal"))
    found = await entries(desk)
    assert [kind for kind, _ in found] == ["approval_requested", "approval_decided", "effect_begun", "effect_ended"]
    assert "personal" not in repr(found)
    decided, begun, ended = (details for _, details in found[1:])
    assert (decided["decision"], decided["by"], decided["requester"]) == ("approve", "ann", "local")
    assert begun["targets"] == [{"name": "air/web", "uid": "u1", "version": "7"}]
    assert (begun["tool"], begun["approval"], len(begun["arguments_digest"])) == ("scale", allowed.id, 64)
    assert (ended["outcome"], ended["effect"]) == ("done", record.key)


async def test_what_cannot_be_stored_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidInput):
        await desk.runs.journal.begin(effect(approval(), approval="", arguments={"x": "\ud800"}))
    with pytest.raises(InvalidInput):
        await desk.runs.audit.note("call_denied", {"x": object()})


async def test_effect_that_was_cut_off_and_whose_run_is_over_is_recorded_as_unknown(desk: Desk) -> None:
    """A turn may end, by cancellation, while its effect goes on; then the gateway is killed."""
    ended = await desk.ask("one")
    record = msgspec.structs.replace(effect(approval()), run_id=ended.run_id, approval="", key="k-ended")
    await desk.runs.journal.begin(record)
    await desk.reopen()
    assert await desk.runs._acts.journal.give_up() == 1
    assert await desk.runs._acts.journal.give_up() == 0
    found = await desk.runs.journal.find("k-ended")
    assert found is not None
    assert found.outcome == "unknown"
    assert found.result is not None
    assert "not known" in found.result.text
    assert [kind for kind, _ in await entries(desk)][-1] == "effect_ended"


async def test_effect_of_a_run_that_goes_on_is_left_to_it(desk: Desk) -> None:
    go_on = asyncio.Event()

    async def wait(run: Run, _emit: Emit) -> str:
        await go_on.wait()
        return run.message

    desk.agent.script = wait
    running = await desk.start("one")
    record = msgspec.structs.replace(effect(approval()), run_id=running.id, approval="", key="k-running")
    await desk.runs.journal.begin(record)
    assert await desk.runs._acts.journal.give_up() == 0
    go_on.set()
    await desk.runs.result(running.id)
