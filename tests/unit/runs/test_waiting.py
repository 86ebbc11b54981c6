from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.unit.runs.acting import (
    APPROVE,
    REJECT,
    Doer,
    approval,
    effect,
    eventually,
    hire,
    pending_of,
    result,
    until,
    waiting,
)

from agent_gateway.approval import Approval
from agent_gateway.errors import Conflict, NotFound, StorageFailed
from agent_gateway.events import Token
from agent_gateway.interfaces import ApprovalQuery, Emit, TurnRequest
from agent_gateway.messages import Answer, Run
from agent_gateway.runs import Draining, RunOptions

if TYPE_CHECKING:
    from .conftest import Desk


async def wait(desk: Desk, message: str = "scale", conversation_id: str | None = None) -> tuple[Run, Approval]:
    """A run that waits, and what it waits for."""
    run = await desk.start(message, conversation_id)
    assert (await desk.runs.result(run.id)).status == "waiting"
    return await until(desk.runs, run.id, "waiting"), await pending_of(desk.runs, run.id)


async def statuses(desk: Desk, run_id: str) -> list[str]:
    """The statuses of a run's approvals, the oldest first."""
    return [each.status for each in reversed(await desk.runs.approvals.list(ApprovalQuery(run_id=run_id)))]


async def test_waiting_run_has_its_answer_and_no_end_and_goes_on_after_the_decision(desk: Desk) -> None:
    doer = hire(desk, Doer(lambda: desk.runs))
    run, asked = await wait(desk)
    assert run.answer is not None
    assert [each.id for each in run.answer.approvals] == [asked.id]
    follower = asyncio.create_task(desk.events(run.id))
    await asyncio.sleep(0.05)
    assert not follower.done()
    assert (len(desk.runs._executions.lives), desk.runs._executions.running, desk.finished) == (0, 0, [])
    await desk.runs.approvals.decide(asked.id, APPROVE)
    events = await follower
    assert [event.type for event in events] == [
        "run_started",
        "stage_started",
        "approval_required",
        "token",
        "token",
        "done",
    ]
    assert [event.seq for event in events] == list(range(1, 7))
    assert msgspec.json.decode(events[2].data, type=Approval) == asked
    ended = await desk.runs.get(run.id, "bruno", "local")
    assert (ended.status, ended.attempts) == ("completed", 1)
    assert (await desk.runs.result(run.id)).response == "1 done"
    assert (len(doer.world), [each.id for each in desk.finished]) == (1, [run.id])
    assert await desk.runs.checkpoints.get(run.id) is None


async def test_rejected_and_expired_calls_let_the_run_go_on_without_them(desk: Desk) -> None:
    doer = hire(desk, Doer(lambda: desk.runs))
    run, asked = await wait(desk)
    await desk.runs.approvals.decide(asked.id, REJECT)
    assert (await until(desk.runs, run.id, "completed")).answer is not None
    doer.expire_seconds = 0.1
    run, _ = await wait(desk)
    assert (await until(desk.runs, run.id, "completed")).attempts == 1
    assert (doer.world, await statuses(desk, run.id)) == ([], ["expired"])


async def test_run_may_wait_again_and_again(desk: Desk) -> None:
    doer = hire(desk, Doer(lambda: desk.runs, calls=3))
    run, _ = await wait(desk)
    follower = asyncio.create_task(desk.events(run.id))
    for number in range(3):
        asked = await pending_of(desk.runs, run.id, f"call_{number}")
        await until(desk.runs, run.id, "waiting")
        assert len(doer.world) == number
        await desk.runs.approvals.decide(asked.id, APPROVE)
    assert [event.type for event in await follower].count("approval_required") == 3
    assert (await desk.runs.result(run.id)).response == "3 done"
    assert await statuses(desk, run.id) == ["spent"] * 3


async def test_decision_that_comes_before_the_run_waits_is_not_missed(desk: Desk) -> None:
    doer = hire(desk, Doer(lambda: desk.runs))

    async def decide(place: str) -> None:
        if place == "request":
            (asked,) = await desk.runs.approvals.list(ApprovalQuery(pending=True))
            await desk.runs.approvals.decide(asked.id, APPROVE)

    doer.at = decide
    run = await desk.start("scale")
    assert (await until(desk.runs, run.id, "completed")).answer is not None
    assert len(doer.world) == 1


async def test_run_that_waits_for_two_goes_on_when_both_are_decided(desk: Desk) -> None:
    async def ask_twice(run: Run, emit: Emit) -> Answer:
        await desk.runs.checkpoints.put(run.id, b"state")
        asked = [await desk.runs.approvals.request(approval(run.id, f"call_{number}")) for number in range(2)]
        return waiting(run, *asked)

    desk.agent.script = ask_twice
    run, first = await wait(desk)
    await desk.runs.approvals.decide(first.id, APPROVE)
    await asyncio.sleep(0.05)
    assert (await desk.runs.get(run.id, "bruno", "local")).status == "waiting"
    await desk.runs.approvals.decide((await pending_of(desk.runs, run.id, "call_1")).id, REJECT)
    assert (await until(desk.runs, run.id, "completed")).answer is not None


async def test_other_turns_of_the_conversation_are_answered_meanwhile(desk: Desk) -> None:
    hire(desk, Doer(lambda: desk.runs))
    run, asked = await wait(desk)
    desk.agent.script = lambda run, emit: tell("two")
    assert (await desk.ask("two", run.conversation_id)).response == "two"
    await desk.runs.approvals.decide(asked.id, APPROVE)
    await until(desk.runs, run.id, "completed")
    assert [exchange.message for exchange in desk.agent.turns[-1][1]] == []
    await desk.ask("three", run.conversation_id)
    assert [exchange.message for exchange in desk.agent.turns[-1][1]] == ["scale", "two"]


async def tell(text: str) -> str:
    return text


async def test_waiting_run_can_be_cancelled_and_its_approval_is_void(desk: Desk) -> None:
    doer = hire(desk, Doer(lambda: desk.runs))
    run, asked = await wait(desk)
    follower = asyncio.create_task(desk.events(run.id))
    cancelled = await desk.runs.cancel(run.id, "bruno", "local")
    assert cancelled.answer is not None
    assert (cancelled.status, cancelled.answer.response) == ("cancelled", "I ask. ")
    assert (await follower)[-1].type == "done"
    with pytest.raises(Conflict) as caught:
        await desk.runs.approvals.decide(asked.id, APPROVE)
    assert (caught.value.code, await statuses(desk, run.id)) == ("approval_decided", ["void"])
    assert (doer.world, await desk.runs.checkpoints.get(run.id)) == ([], None)
    with pytest.raises(Conflict):
        await desk.runs.cancel(run.id, "bruno", "local")


async def test_cancel_and_decision_at_the_same_time_come_to_one_end(desk: Desk) -> None:
    doer = hire(desk, Doer(lambda: desk.runs))
    for _ in range(10):
        run, asked = await wait(desk)
        await asyncio.gather(
            desk.runs.approvals.decide(asked.id, APPROVE),
            desk.runs.cancel(run.id, "bruno", "local"),
            return_exceptions=True,
        )
        events = await desk.events(run.id)
        assert [event.terminal for event in events].count(True) == 1
        (status,) = await statuses(desk, run.id)
        assert (status == "spent") == (f"{run.id}.call_0" in doer.world)


async def test_failed_run_leaves_nothing_to_decide(desk: Desk) -> None:
    async def fail(run: Run, emit: Emit) -> str:
        await desk.runs.approvals.request(approval(run.id, "call_0"))
        raise Conflict("no")

    desk.agent.script = fail
    answer = await desk.ask("scale")
    assert (answer.status, await statuses(desk, answer.run_id)) == ("failed", ["void"])
    with pytest.raises(Conflict) as caught:
        await desk.runs.checkpoints.put(answer.run_id, b"state")
    assert caught.value.code == "run_ended"


async def test_deleted_conversation_leaves_names_and_nothing_that_was_written(desk: Desk) -> None:
    doer = hire(desk, Doer(lambda: desk.runs, calls=2))
    run, asked = await wait(desk)
    await desk.runs.approvals.decide(asked.id, APPROVE)
    await pending_of(desk.runs, run.id, "call_1")
    await until(desk.runs, run.id, "waiting")
    await desk.runs.delete(run.conversation_id, "bruno", "local")
    with pytest.raises(NotFound):
        await desk.runs.get(run.id, "bruno", "local")
    left = await desk.runs.approvals.list(ApprovalQuery(run_id=run.id))
    assert [(each.tool, each.targets, each.arguments, each.summary + each.diff + each.comment) for each in left] == [
        ("scale", asked.targets, {}, "")
    ] * 2
    assert await statuses(desk, run.id) == ["spent", "void"]
    record = await desk.runs.journal.find(doer.world[0])
    assert record is not None
    assert (record.outcome, record.tool, record.arguments, record.result, record.comment) == (
        "done",
        "scale",
        {},
        None,
        "",
    )
    with pytest.raises(Conflict):
        await desk.runs.approvals.decide(left[0].id, APPROVE)


async def test_effect_that_was_going_on_when_its_conversation_was_deleted_is_told_and_then_forgotten(
    desk: Desk,
) -> None:
    async def begin(run: Run, emit: Emit) -> str:
        await desk.runs.journal.begin(effect(approval(run.id), approval=""))
        return "begun"

    desk.agent.script = begin
    answer = await desk.ask("scale")
    await desk.runs.delete(answer.conversation_id, "bruno", "local")
    key = f"{answer.run_id}.call_1"
    record = await desk.runs.journal.find(key)
    assert record is not None
    assert (record.arguments, record.outcome) == ({"replicas": 3}, "")
    await desk.runs.journal.finish(key, "done", result(approval(answer.run_id)))
    record = await desk.runs.journal.find(key)
    assert record is not None
    assert (record.arguments, record.outcome, record.result) == ({}, "done", None)


async def test_waiting_survives_a_restart_with_its_followers_and_its_time(desk: Desk) -> None:
    doer = hire(desk, Doer(lambda: desk.runs))
    run, asked = await wait(desk)
    follower = asyncio.create_task(desk.events(run.id))
    await asyncio.sleep(0.01)
    await desk.reopen()
    with pytest.raises(Draining):
        await follower
    assert await desk.runs.recover() == 0
    assert (await desk.runs.result(run.id)).approvals[0].id == asked.id
    follower = asyncio.create_task(desk.events(run.id))
    await desk.runs.approvals.decide(asked.id, APPROVE)
    assert (await follower)[-1].type == "done"
    doer.expire_seconds = 0.3
    run, _ = await wait(desk)
    await desk.reopen()
    await desk.runs.recover()
    assert (await until(desk.runs, run.id, "completed")).attempts == 1
    assert await statuses(desk, run.id) == ["expired"]


async def test_decision_that_nobody_acted_on_is_acted_on_at_the_start(desk: Desk) -> None:
    doer = hire(desk, Doer(lambda: desk.runs))
    run, asked = await wait(desk)
    desk.runs._executions.draining = True
    await desk.runs.approvals.decide(asked.id, APPROVE)
    await asyncio.sleep(0.02)
    desk.runs._executions.draining = False
    assert (await desk.runs.get(run.id, "bruno", "local")).status == "waiting"
    await desk.reopen()
    await desk.runs.recover()
    assert (await until(desk.runs, run.id, "completed")).attempts == 1
    assert len(doer.world) == 1


async def test_persona_that_is_gone_ends_its_waiting_run_with_an_error(desk: Desk) -> None:
    hire(desk, Doer(lambda: desk.runs))
    run, asked = await wait(desk)
    agents = desk.runs._executions.agents
    assert isinstance(agents, dict)
    del agents["bruno"]
    await desk.runs.approvals.decide(asked.id, APPROVE)
    answer = (await until(desk.runs, run.id, "failed")).answer
    assert answer is not None
    assert answer.error is not None
    assert answer.error.code == "persona_not_served"
    assert await statuses(desk, run.id) == ["void"]


@pytest.mark.parametrize("fault", ["no state", "no approval", "what is decided"])
async def test_agent_that_waits_for_nothing_fails_instead_of_waiting_for_ever(desk: Desk, fault: str) -> None:
    async def ask(run: Run, emit: Emit) -> Answer:
        if fault != "no state":
            await desk.runs.checkpoints.put(run.id, b"state")
        asked = await desk.runs.approvals.request(approval(run.id, "call_0"))
        if fault == "what is decided":
            await desk.runs.approvals.decide(asked.id, APPROVE)
        return waiting(run, *([] if fault == "no approval" else [asked]))

    desk.agent.script = ask
    desk.agent.go_on = lambda run, emit, checkpoint: ask(run, emit)
    run = await desk.start("scale")
    answer = (await until(desk.runs, run.id, "failed")).answer
    assert answer is not None
    assert answer.error is not None
    assert answer.error.code == "invalid_answer"


async def test_roles_of_the_owner_are_those_of_the_request_also_after_a_restart(desk: Desk) -> None:
    hire(desk, Doer(lambda: desk.runs))
    desk.options = RunOptions()
    request = TurnRequest(persona="bruno", owner="local", message="scale", roles=("viewer", "operator"))
    run = await desk.runs.start(request)
    await until(desk.runs, run.id, "waiting")
    await desk.reopen()
    assert (await desk.runs.get(run.id, "bruno", "local")).roles == ("viewer", "operator")
    await desk.runs.recover()
    await desk.runs.approvals.decide((await pending_of(desk.runs, run.id)).id, APPROVE)
    await until(desk.runs, run.id, "completed")
    assert {turn.roles for turn, _ in desk.agent.turns} == {("viewer", "operator")}


async def test_run_that_cannot_be_stored_as_waiting_fails_and_leaves_nothing_to_decide(desk: Desk) -> None:
    doer = hire(desk, Doer(lambda: desk.runs))

    async def limit(pages: int | None) -> None:
        def set_limit(connection: sqlite3.Connection) -> None:
            (present,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {2**30 if pages is None else present + pages}")

        await desk.runs._database.writer.submit(set_limit)

    async def ask(run: Run, emit: Emit) -> str | Answer:
        answer = await doer.run(run, emit)
        await desk.runs._executions.commits.execute()
        await limit(1)
        await emit(Token(text="x" * 100_000))
        return answer

    desk.agent.script = ask
    answer = await desk.ask("scale")
    assert answer.error is not None
    assert (answer.status, answer.error.code) == ("failed", "storage_failed")
    await limit(None)
    desk.agent.script = lambda run, emit: tell("stored")
    assert (await desk.ask("again")).response == "stored"

    async def look() -> bool | None:
        return await statuses(desk, answer.run_id) == ["void"] or None

    await eventually(look)
    await desk.reopen()
    assert (await desk.runs.get(answer.run_id, "bruno", "local")).status == "failed"
    assert await desk.runs.checkpoints.get(answer.run_id) is None


async def test_run_is_looked_at_again_when_that_could_not_be_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_gateway.runs.resumption._AGAIN", (0.01,) * 5)
    hire(desk, Doer(lambda: desk.runs))
    run, asked = await wait(desk)
    recovery, failures = desk.runs._recovery, [StorageFailed("disk I/O error")] * 2
    go_on = recovery.go_on

    async def stumble(run_id: str) -> Run:
        if failures:
            raise failures.pop()
        return await go_on(run_id)

    monkeypatch.setattr(recovery, "go_on", stumble)
    await desk.runs.approvals.decide(asked.id, REJECT)
    assert (await until(desk.runs, run.id, "completed")).status == "completed"
