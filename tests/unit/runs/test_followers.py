from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from agent_gateway.errors import NotFound, Unavailable
from agent_gateway.events import Event, StageStarted, Token
from agent_gateway.interfaces import Emit
from agent_gateway.messages import Run
from agent_gateway.runs import Draining

if TYPE_CHECKING:
    from .conftest import Desk, Script


def gated(gate: asyncio.Event, emitted: asyncio.Event | None = None) -> Script:
    async def script(run: Run, emit: Emit) -> str:
        await emit(Token(text="first "))
        if emitted is not None:
            emitted.set()
        await gate.wait()
        await emit(Token(text="second"))
        return "first second"

    return script


async def many_events(run: Run, emit: Emit) -> str:
    for number in range(int(run.message)):
        await emit(StageStarted(stage=str(number)))
    return "done"


async def test_following_again_after_each_event_gives_exactly_the_rest(desk: Desk) -> None:
    run = await desk.start("a b c")
    live = await desk.events(run.id)
    for event in live:
        assert await desk.events(run.id, event.seq) == live[event.seq :]
    await desk.reopen()
    assert await desk.events(run.id) == live
    assert await desk.events(run.id, live[-1].seq + 1000) == []


async def test_long_finished_run_is_read_in_pages_without_gap(desk: Desk) -> None:
    desk.agent.script = many_events
    run = await desk.start("1001")
    await desk.runs.result(run.id)
    events = await desk.events(run.id, 3)
    assert [event.seq for event in events] == list(range(4, 1004))
    assert events[-1].type == "done"


async def test_long_live_run_is_followed_without_gap(desk: Desk) -> None:
    gate = asyncio.Event()

    async def many_then_wait(run: Run, emit: Emit) -> str:
        await many_events(run, emit)
        await gate.wait()
        return "done"

    desk.agent.script = many_then_wait
    run = await desk.start("1001")
    seen: list[int] = []
    async for event in desk.runs.follow(run.id):
        seen.append(event.seq)
        if event.seq == 1002:
            gate.set()
    assert seen == list(range(1, 1004))
    assert await desk.events(run.id, -5) == await desk.events(run.id)


async def test_follower_that_joins_late_sees_stored_and_live_events_once(desk: Desk) -> None:
    gate = asyncio.Event()
    desk.agent.script = gated(gate)
    run = await desk.start("hello")
    stream = desk.runs.follow(run.id)
    early = [await anext(stream), await anext(stream)]
    late = asyncio.create_task(desk.events(run.id, 1))
    gate.set()
    rest = [event async for event in stream]
    assert [event.seq for event in early + rest] == [1, 2, 3, 4]
    assert await late == (early + rest)[1:]


async def test_unknown_run_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound) as not_found:
        await desk.events("run_unknown")
    assert not_found.value.code == "run_not_found"
    with pytest.raises(NotFound):
        await desk.runs.result("run_unknown")


async def test_five_hundred_followers_of_one_run_all_see_everything(desk: Desk) -> None:
    gate = asyncio.Event()
    desk.agent.script = gated(gate)
    run = await desk.start("hello")
    followers = [asyncio.create_task(desk.events(run.id)) for _ in range(500)]
    await asyncio.sleep(0)
    gate.set()
    seen = await asyncio.gather(*followers)
    assert {tuple((event.seq, event.type) for event in events) for events in seen} == {
        tuple((event.seq, event.type) for event in await desk.events(run.id))
    }


async def test_five_hundred_runs_at_once_are_each_followed_to_their_end(desk: Desk) -> None:
    async def stream(run: Run, emit: Emit) -> str:
        for word in ("a ", "b ", "c "):
            await emit(Token(text=word))
            await asyncio.sleep(0.005)
        return run.message

    desk.agent.script = stream
    runs = [await desk.start(str(number)) for number in range(500)]
    seen = await asyncio.gather(*(desk.events(run.id) for run in runs))
    for run, events in zip(runs, seen, strict=True):
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert events[-1].type == "done"
        assert f'"response":"{run.message}"'.encode() in events[-1].data


async def test_drain_ends_followers_of_a_cut_run_with_shutting_down(desk: Desk) -> None:
    gate = asyncio.Event()
    desk.agent.script = gated(gate)
    run = await desk.start("hello")
    seen: list[Event] = []

    async def follow() -> None:
        seen.extend([event async for event in desk.runs.follow(run.id)])

    follower = asyncio.create_task(follow())
    waiting = asyncio.create_task(desk.runs.result(run.id))
    await anext(desk.runs.follow(run.id))
    await desk.runs.drain(0)
    for task in (follower, waiting):
        with pytest.raises(Unavailable) as ended:
            await task
        assert isinstance(ended.value, Draining)
        assert ended.value.code == "shutting_down"
    with pytest.raises(Draining):
        await desk.start("too late")
    with pytest.raises(Draining):
        await desk.events(run.id)


async def test_drain_lets_running_turns_end_within_the_grace(desk: Desk) -> None:
    gate = asyncio.Event()
    desk.agent.script = gated(gate)
    run = await desk.start("hello")
    follower = asyncio.create_task(desk.events(run.id))
    draining = asyncio.create_task(desk.runs.drain(30))
    await asyncio.sleep(0)
    gate.set()
    assert (await follower)[-1].type == "done"
    await draining


async def test_follower_of_an_interrupted_run_waits_until_it_goes_on(desk: Desk) -> None:
    gate, emitted = asyncio.Event(), asyncio.Event()
    desk.agent.script = gated(gate, emitted)
    run = await desk.start("hello")
    await emitted.wait()
    await desk.reopen()
    follower = asyncio.create_task(desk.events(run.id))
    waiting = asyncio.create_task(desk.runs.result(run.id))
    done, _ = await asyncio.wait([follower, waiting], timeout=0.1)
    assert not done
    gate.set()
    await desk.runs.resume(run.id, "bruno", "local")
    events = await follower
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert [event.type for event in events] == ["run_started", "token", "run_resumed", "token", "done"]
    assert (await waiting).response == "first second"
