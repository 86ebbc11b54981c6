from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest
from tests.unit.models.fake_models import FOREVER, FakeModel, Line, read

from agent_gateway.completion import CompletionChunk, CompletionRequest, Timeouts
from agent_gateway.errors import ModelFailed
from agent_gateway.models.timing import LINGER_SECONDS, WatchedStream

LIMITS = Timeouts(first=0.2, stall=0.1)


def watched(
    script: list[Line] | AsyncIterator[CompletionChunk], *, seconds: float = 5.0, limits: Timeouts = LIMITS
) -> WatchedStream:
    chunks = FakeModel(script).stream(CompletionRequest(messages=())) if isinstance(script, list) else script
    return WatchedStream(chunks, limits, asyncio.get_running_loop().time() + seconds, "fake")


async def test_chunks_come_through_in_their_order_without_a_task() -> None:
    tasks = len(asyncio.all_tasks())
    script: list[Line] = [str(n) for n in range(500)]
    stream = watched(script)
    await stream.next()
    assert len(asyncio.all_tasks()) == tasks
    assert await read(stream) == [str(n) for n in range(1, 500)]


async def test_the_first_chunk_may_take_longer_than_the_others() -> None:
    assert await read(watched([0.15, "a", 0.05, "b", 0.07, "c"])) == ["a", "b", "c"]
    with pytest.raises(ModelFailed, match=r"fake sent nothing for 0\.2 s") as raised:
        await read(watched([FOREVER]))
    assert (raised.value.code, raised.value.transient) == ("model_timeout", True)
    with pytest.raises(ModelFailed, match="sent nothing more") as raised:
        await read(watched(["a", 0.15, "b"]))
    assert (raised.value.code, raised.value.transient) == ("model_timeout", False)


async def test_a_slow_listener_is_no_slow_model() -> None:
    stream = watched(["a", "b", 0.05, "c"])
    assert await stream.next() == CompletionChunk(text="a")
    await asyncio.sleep(0.3)
    assert await read(stream) == ["b", "c"]


async def test_nothing_is_waited_for_beyond_the_deadline() -> None:
    began = time.monotonic()
    with pytest.raises(ModelFailed):
        await read(watched([FOREVER], seconds=0.05, limits=Timeouts()))
    assert time.monotonic() - began < 1


async def test_an_endless_answer_ends_at_the_deadline() -> None:
    async def babble() -> AsyncIterator[CompletionChunk]:
        while True:
            yield CompletionChunk(text="x")

    with pytest.raises(ModelFailed):
        await asyncio.wait_for(read(watched(babble(), seconds=0.1)), 5)


async def test_a_cancel_from_outside_goes_through() -> None:
    stream = watched([FOREVER], limits=Timeouts())
    reading = asyncio.create_task(read(stream))
    await asyncio.sleep(0.02)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


@pytest.mark.parametrize("seconds", [0.05, 0.15], ids=["before", "after"])
async def test_a_cancel_from_outside_in_the_moment_of_the_limit_goes_through(seconds: float) -> None:
    stream = watched([FOREVER], limits=Timeouts(first=0.1))
    reading = asyncio.create_task(read(stream))
    asyncio.get_running_loop().call_later(seconds, reading.cancel)
    await asyncio.sleep(0)
    time.sleep(0.2)  # noqa: ASYNC251 - both timers are due when the loop looks again
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_a_task_that_was_cancelled_before_and_goes_on_has_its_limits_too() -> None:
    async def go_on() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(FOREVER)
        await read(watched([FOREVER], seconds=0.05))

    going = asyncio.create_task(go_on())
    await asyncio.sleep(0)
    going.cancel()
    with pytest.raises(ModelFailed):
        await going
    assert going.cancelling() == 1


async def test_an_adapter_that_says_why_it_was_cut_leaves_no_cancel_behind() -> None:
    async def explain() -> AsyncIterator[CompletionChunk]:
        try:
            await asyncio.sleep(FOREVER)
        except asyncio.CancelledError:
            raise ModelFailed("cut") from None
        yield CompletionChunk()

    with pytest.raises(ModelFailed, match="cut"):
        await read(watched(explain(), seconds=0.05))
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_after_a_time_out_the_task_is_as_if_nothing_had_cancelled_it() -> None:
    with pytest.raises(ModelFailed):
        await read(watched([FOREVER], seconds=0.02))
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_what_lingers_has_a_moment() -> None:
    stream = watched(["a", FOREVER], limits=Timeouts(), seconds=60)
    await stream.next()
    stream.linger()
    began = time.monotonic()
    with pytest.raises(ModelFailed):
        await stream.next()
    assert time.monotonic() - began < LINGER_SECONDS + 1


async def test_closing_ends_the_adapter() -> None:
    ended = []

    async def endless() -> AsyncIterator[CompletionChunk]:
        try:
            while True:
                yield CompletionChunk(text="x")
        finally:
            ended.append(True)

    stream = watched(endless())
    await stream.next()
    await stream.close()
    assert ended == [True]
