from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.unit.runs.acting import approval, effect

from agent_gateway.errors import Conflict, NotFound
from agent_gateway.events import EventData, RunResumed, Token
from agent_gateway.interfaces import Emit
from agent_gateway.messages import Problem, Run
from agent_gateway.runs import RunOptions, SqliteRuns

if TYPE_CHECKING:
    from .conftest import Desk


async def cut(
    desk: Desk, message: str, conversation_id: str | None = None, *, told: Sequence[EventData] = (Token(text="half "),)
) -> Run:
    """A run whose process ends behind its first events; afterwards the database is open again."""
    emitted = asyncio.Event()

    async def hang(run: Run, emit: Emit) -> str:
        for each in told:
            await emit(each)
        emitted.set()
        await asyncio.get_running_loop().create_future()
        return "unreachable"

    finished, desk.agent.script = desk.agent.script, hang
    run = await desk.start(message, conversation_id)
    await emitted.wait()
    await desk.reopen()
    desk.agent.script = finished
    return run


async def test_cut_run_is_marked_and_rerun_under_its_id(desk: Desk) -> None:
    run = await cut(desk, "whole answer")
    assert (await desk.runs.get(run.id, "bruno", "local")).status == "interrupted"
    before = len(desk.agent.turns)
    assert await desk.runs.recover() == 1
    events = await desk.events(run.id)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert [event.type for event in events] == [
        "run_started",
        "token",
        "run_resumed",
        "stage_started",
        "token",
        "stage_finished",
        "done",
    ]
    resumed = msgspec.json.decode(events[2].data, type=RunResumed)
    kept = [event for event in events if event.seq <= resumed.discard_after or event.seq > events[2].seq]
    tokens = [msgspec.json.decode(event.data, type=Token).text for event in kept if event.type == "token"]
    assert (resumed.run_id, tokens) == (run.id, ["whole answer "])
    stored = await desk.runs.get(run.id, "bruno", "local")
    assert (stored.status, stored.attempts, len(desk.agent.turns) - before) == ("completed", 2, 1)
    assert await desk.runs.recover() == 0


async def test_rerun_sees_the_history_from_before_the_run(desk: Desk) -> None:
    conversation_id = (await desk.ask("one")).conversation_id
    run = await cut(desk, "two", conversation_id)
    await desk.ask("three", conversation_id)
    await desk.runs.resume(run.id, "bruno", "local")
    await desk.runs.result(run.id)
    assert [exchange.message for exchange in desk.agent.turns[-1][1]] == ["one"]
    await desk.ask("four", conversation_id)
    assert [exchange.message for exchange in desk.agent.turns[-1][1]] == ["one", "two", "three"]


async def test_run_that_keeps_being_cut_ends_with_one_clear_error(desk: Desk) -> None:
    begun = asyncio.Event()

    async def hang(run: Run, emit: Emit) -> str:
        begun.set()
        await asyncio.get_running_loop().create_future()
        return "unreachable"

    desk.options = RunOptions(max_attempts=3)
    run = await cut(desk, "deadly")
    desk.agent.script = hang
    for attempt in (2, 3):
        assert await desk.runs.recover() == 1
        assert (await desk.runs.get(run.id, "bruno", "local")).attempts == attempt
        await begun.wait()
        begun.clear()
        await desk.reopen()
    assert await desk.runs.recover() == 1
    events = await desk.events(run.id)
    assert [event.type for event in events] == ["run_started", "token", "run_resumed", "run_resumed", "error"]
    problem = msgspec.json.decode(events[-1].data, type=Problem)
    assert (problem.code, problem.hint) == ("run_interrupted", "ask the question again")
    stored = await desk.runs.get(run.id, "bruno", "local")
    assert (stored.status, stored.attempts) == ("failed", 3)
    assert stored.answer is not None
    assert stored.answer.error == problem


async def test_run_that_is_given_up_says_that_a_change_of_it_is_in_doubt(desk: Desk) -> None:
    desk.options = RunOptions(max_attempts=1)
    run = await cut(desk, "deadly")
    begun = msgspec.structs.replace(effect(approval()), run_id=run.id, approval="", key="k-open")
    await desk.runs.journal.begin(begun)
    await desk.runs.recover()
    problem = msgspec.json.decode((await desk.events(run.id))[-1].data, type=Problem)
    assert "whether a change that it had begun was made is not known" in problem.detail
    assert "audit list" in problem.hint
    found = await desk.runs.journal.find("k-open")
    assert found is not None
    assert found.outcome == "unknown"


async def test_run_of_a_persona_that_is_gone_ends_with_an_error(desk: Desk) -> None:
    run = await cut(desk, "hello")
    await desk.runs.close()
    desk.opened.append(await SqliteRuns.open(desk.path, {"auditor": desk.agent}))
    assert await desk.runs.recover() == 1
    answer = await desk.runs.result(run.id)
    assert answer.error is not None
    assert answer.error.code == "persona_not_served"


async def test_only_an_interrupted_run_can_be_resumed_and_only_once(desk: Desk) -> None:
    answer = await desk.ask("hello")
    run = await cut(desk, "two")
    results = await asyncio.gather(
        desk.runs.resume(run.id, "bruno", "local"),
        desk.runs.resume(run.id, "bruno", "local"),
        desk.runs.resume(answer.run_id, "bruno", "local"),
        return_exceptions=True,
    )
    conflicts = [result.code for result in results if isinstance(result, Conflict)]
    assert conflicts == ["run_not_interrupted", "run_not_interrupted"]
    assert (await desk.runs.result(run.id)).status == "completed"
    with pytest.raises(NotFound):
        await desk.runs.resume(run.id, "auditor", "local")


async def test_recovery_at_the_same_time_as_resume_or_delete_takes_each_run_up_once(desk: Desk) -> None:
    run = await cut(desk, "hello")
    assert sorted(await asyncio.gather(desk.runs.recover(), desk.runs.recover())) == [0, 1]
    await desk.runs.result(run.id)
    assert (await desk.runs.get(run.id, "bruno", "local")).attempts == 2
    run = await cut(desk, "hello")
    taken, _ = await asyncio.gather(
        desk.runs.recover(), desk.runs.delete(run.conversation_id, "bruno", "local"), return_exceptions=True
    )
    assert taken in {0, 1}
    with pytest.raises(NotFound):
        await desk.runs.get(run.id, "bruno", "local")


async def test_interrupted_run_can_be_cancelled_with_what_it_had_answered(desk: Desk) -> None:
    run = await cut(desk, "hello")
    follower = asyncio.create_task(desk.events(run.id))
    ended = await desk.runs.cancel(run.id, "bruno", "local")
    assert (ended.status, ended.attempts) == ("cancelled", 2)
    assert ended.answer is not None
    assert ended.answer.response == "half "
    assert [event.type for event in await follower] == ["run_started", "token", "done"]


async def test_conversation_of_an_interrupted_run_can_be_deleted(desk: Desk) -> None:
    run = await cut(desk, "hello")
    follower = asyncio.create_task(desk.events(run.id))
    await asyncio.sleep(0.01)
    await desk.runs.delete(run.conversation_id, "bruno", "local")
    with pytest.raises(NotFound):
        await follower
    assert await desk.runs.recover() == 0
