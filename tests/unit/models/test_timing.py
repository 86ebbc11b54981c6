from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from tests.unit.models.fake_models import END, FOREVER, FakeModel, Line, read

from agent_gateway.completion import CompletionChunk, CompletionRequest, Timeouts
from agent_gateway.errors import ModelFailed
from agent_gateway.models.timing import TimedStream

LIMITS = Timeouts(first=0.2, stall=0.1)


def timed(model: FakeModel, *, seconds: float = 5.0, limits: Timeouts = LIMITS) -> TimedStream:
    deadline = asyncio.get_running_loop().time() + seconds
    return TimedStream(model.stream(CompletionRequest(messages=())), limits, deadline, "fake")


async def test_chunks_come_through_in_their_order() -> None:
    script: list[Line] = [str(n) for n in range(500)]
    assert await read(timed(FakeModel(script))) == [str(n) for n in range(500)]


async def test_the_first_chunk_may_take_longer_than_the_others() -> None:
    assert await read(timed(FakeModel([0.15, "a", 0.05, "b"]))) == ["a", "b"]
    with pytest.raises(ModelFailed) as raised:
        await read(timed(FakeModel([FOREVER])))
    assert (raised.value.code, raised.value.transient) == ("model_timeout", True)
    with pytest.raises(ModelFailed) as raised:
        await read(timed(FakeModel(["a", 0.15, "b"])))
    assert (raised.value.code, raised.value.transient) == ("model_timeout", False)


async def test_nothing_is_waited_for_beyond_the_deadline() -> None:
    began = time.monotonic()
    with pytest.raises(ModelFailed):
        await read(timed(FakeModel([FOREVER]), seconds=0.05, limits=Timeouts()))
    assert time.monotonic() - began < 1


async def test_an_endless_answer_ends_at_the_deadline_and_lets_others_work() -> None:
    async def babble() -> AsyncIterator[CompletionChunk]:
        while True:
            yield CompletionChunk(text="x")

    turns = 0

    async def work() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(work())
    stream = TimedStream(babble(), LIMITS, asyncio.get_running_loop().time() + 0.1, "fake")
    with pytest.raises(ModelFailed):
        await read(stream)
    other.cancel()
    assert turns > 10


async def test_a_failure_comes_after_what_was_said_before_it() -> None:
    stream = timed(FakeModel(["a", "b", ModelFailed("gone", code="model_stream_cut")]))
    await asyncio.sleep(0.01)
    assert [(await stream.next()), (await stream.next())] == [CompletionChunk(text="a"), CompletionChunk(text="b")]
    with pytest.raises(ModelFailed, match="gone"):
        await stream.next()


async def test_a_stream_that_is_read_slowly_is_not_read_far_ahead() -> None:
    model = FakeModel([str(n) for n in range(10_000)])
    sent = 0

    async def counted() -> AsyncIterator[CompletionChunk]:
        nonlocal sent
        async for chunk in model.stream(CompletionRequest(messages=())):
            sent += 1
            yield chunk

    stream = TimedStream(counted(), LIMITS, asyncio.get_running_loop().time() + 5, "fake")
    await stream.next()
    await asyncio.sleep(0.02)
    assert sent < 100
    await stream.close()


async def test_closing_cuts_a_stream_wherever_it_stands() -> None:
    scripts: list[list[Line]] = [[FOREVER], ["a", FOREVER], ["a"] * 1000]
    for script in scripts:
        model = FakeModel(script)
        stream = timed(model)
        await asyncio.sleep(0.01)
        await stream.close()
        assert model.streaming == 0


async def test_a_stream_that_does_not_end_when_it_is_closed_is_left_to_itself() -> None:
    model = FakeModel(["a", FOREVER], stubborn=True)
    stream = timed(model)
    await stream.next()
    began = time.monotonic()
    await stream.close()
    assert 0.4 < time.monotonic() - began < 0.9
    assert model.streaming == 1
    await asyncio.sleep(0.8)
    assert model.streaming == 0


async def test_after_the_end_only_a_moment_is_waited() -> None:
    stream = timed(FakeModel(["a", END, FOREVER]), limits=Timeouts())
    await stream.next()
    await stream.next()
    stream.linger()
    began = time.monotonic()
    with pytest.raises(ModelFailed):
        await stream.next()
    assert time.monotonic() - began < 1.5
    await stream.close()
