from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.unit.runs.acting import APPROVE, Doer, copy_data, hire, pending_of, until

from agent_gateway.events import Event, RunResumed, Token
from agent_gateway.interfaces import ApprovalQuery, Emit
from agent_gateway.messages import Run
from agent_gateway.runs import RunOptions

from .conftest import Desk

if TYPE_CHECKING:
    from pathlib import Path

PLACES = ("checkpoint", "request", "intent", "effect", "outcome")


def text_kept(events: list[Event]) -> str:
    """The text of the tokens that a client keeps."""
    kept: list[Event] = []
    for event in events:
        if event.type == "run_resumed":
            resumed = msgspec.json.decode(event.data, type=RunResumed)
            kept = [each for each in kept if each.seq <= resumed.discard_after]
        kept.append(event)
    return "".join(msgspec.json.decode(each.data, type=Token).text for each in kept if each.type == "token")


async def test_cut_run_goes_on_from_its_state_and_what_came_after_it_is_discarded(desk: Desk) -> None:
    reached = asyncio.Event()

    async def hang(run: Run, emit: Emit) -> str:
        await emit(Token(text="kept "))
        await desk.runs.checkpoints.put(run.id, b"first")
        await emit(Token(text="discarded "))
        await desk.runs.checkpoints.put(run.id, b"from here")
        # Nothing lies between the two: they would be one event if they could.
        await emit(Token(text="discarded, too "))
        reached.set()
        await asyncio.get_running_loop().create_future()
        return "unreachable"

    desk.agent.script = hang
    run = await desk.start("scale")
    await reached.wait()
    await desk.reopen()
    assert await desk.runs.checkpoints.get(run.id) == b"from here"
    assert await desk.runs.recover() == 1
    answer = await desk.runs.result(run.id)
    assert (answer.response, (await desk.runs.get(run.id, "bruno", "local")).attempts) == ("from here", 2)
    assert text_kept(await desk.events(run.id)) == "kept discarded from here"
    assert await desk.runs.checkpoints.get(run.id) is None


async def test_removed_state_lets_a_cut_run_begin_again(desk: Desk) -> None:
    reached = asyncio.Event()
    finished = desk.agent.script

    async def hang(run: Run, emit: Emit) -> str:
        await desk.runs.checkpoints.put(run.id, b"state")
        await desk.runs.checkpoints.remove(run.id)
        reached.set()
        await asyncio.get_running_loop().create_future()
        return "unreachable"

    desk.agent.script = hang
    run = await desk.start("whole")
    await reached.wait()
    await desk.reopen()
    desk.agent.script = finished
    await desk.runs.recover()
    assert (await desk.runs.result(run.id)).response == "whole"


@pytest.mark.parametrize("call", [0, 1])
@pytest.mark.parametrize("place", PLACES)
async def test_run_that_is_killed_anywhere_ends_with_each_effect_once(
    desk: Desk, tmp_path: Path, place: str, call: int
) -> None:
    """The process is killed at a place of the first call, or of the second."""
    doer = hire(desk, Doer(lambda: desk.runs, calls=2))
    killed = asyncio.Event()
    visits = 0

    async def die(here: str) -> None:
        nonlocal visits
        visits += here == place
        # The first call stores its state and asks twice: before and after the decision.
        if here == place and visits > call * (2 if place == "checkpoint" else 1):
            killed.set()
            await asyncio.get_running_loop().create_future()

    async def approve() -> None:
        while True:
            for asked in await desk.runs.approvals.list(ApprovalQuery(pending=True)):
                if place != "request" or asked.call_id != f"call_{call}" or len(desk.opened) > 1:
                    await desk.runs.approvals.decide(asked.id, APPROVE)
            await asyncio.sleep(0.005)

    doer.at = die
    approving = asyncio.create_task(approve())
    run = await desk.start("scale")
    await killed.wait()
    approving.cancel()
    other = Desk(copy_data(desk.path, tmp_path / "after"), desk.agent)
    world = list(doer.world)
    await desk.runs.close()
    doer.world = world
    await other.open()
    desk.opened.append(other.runs)
    doer.at = lambda here: asyncio.sleep(0)
    await other.runs.recover()
    approving = asyncio.create_task(approve())
    ended = await until(other.runs, run.id, "completed")
    approving.cancel()
    assert doer.world == [f"{run.id}.call_0", f"{run.id}.call_1"]
    assert ended.answer is not None
    assert (ended.answer.response, ended.attempts) == ("2 done", 2)
    assert {each.status for each in await other.runs.approvals.list(ApprovalQuery())} == {"spent"}
    for key in doer.world:
        record = await other.runs.journal.find(key)
        assert record is not None
        assert record.outcome == "done"
    assert text_kept(await other.events(run.id)).count("done") == 2
    assert other.runs.approvals is not None


async def test_cuts_are_counted_and_decisions_are_not(desk: Desk) -> None:
    desk.options = RunOptions(max_attempts=2)
    await desk.reopen()
    doer = hire(desk, Doer(lambda: desk.runs, calls=5))
    run = await desk.start("scale")
    for number in range(5):
        asked = await pending_of(desk.runs, run.id, f"call_{number}")
        await until(desk.runs, run.id, "waiting")
        await desk.runs.approvals.decide(asked.id, APPROVE)
    assert (await until(desk.runs, run.id, "completed")).attempts == 1
    assert len(doer.world) == 5
