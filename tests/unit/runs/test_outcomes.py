from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from agent_gateway.errors import GatewayError
from agent_gateway.events import Event, EventData, RunResumed, StageFinished, Token, event_type
from agent_gateway.interfaces import Emit
from agent_gateway.messages import Route, Run
from agent_gateway.runs.outcomes import cancelled_answer

if TYPE_CHECKING:
    from .conftest import Desk

ROUTE = Route(tier="large", model="hosted_vllm/big", score=12, parts={"words": 12}, reason="score 12")
SMALL = Route(tier="small", model="ollama_chat/llama3:8b", score=12, parts={}, reason="the large tier is down")
RUN = Run(
    id="run_1", conversation_id="conv_1", persona="bruno", owner="local", message="hi", status="running", attempts=1,
    created_at="2026-01-01T00:00:00Z",
)  # fmt: skip


def decided(route: Any) -> StageFinished:
    """The end of the route stage."""
    return StageFinished(stage="route", ms=0.1, result={"route": route})


@pytest.mark.parametrize(
    ("items", "route", "model"),
    [
        ((decided(ROUTE), Token(text="x"), StageFinished(stage="act", ms=1)), ROUTE, "llm"),
        ((decided(ROUTE), SMALL, Token(text="x")), SMALL, "slm"),
        ((decided(ROUTE), RunResumed(run_id="run_1", discard_after=1)), None, "extractive"),
        ((decided("somewhere"), Token(text="x")), None, "extractive"),
        ((), None, "extractive"),
    ],
    ids=["the stage's", "a later one", "not of the attempt before", "not what a stage made up", "none"],
)
def test_answer_of_a_cancelled_run_says_the_last_route(
    items: tuple[EventData, ...], route: Route | None, model: str
) -> None:
    events = [Event(seq, event_type(item), msgspec.json.encode(item)) for seq, item in enumerate(items, start=1)]
    answer = cancelled_answer(RUN, events, 1.0)
    assert (answer.route, answer.model, answer.status) == (route, model, "cancelled")


async def test_cancelled_run_keeps_what_was_being_written_when_it_was_cut(desk: Desk) -> None:
    written, release = asyncio.Event(), threading.Event()

    async def speak(run: Run, emit: Emit) -> str:
        await emit(decided(ROUTE))
        await emit(Token(text="one "))
        await asyncio.sleep(0.1)  # meanwhile its commit has begun, and is held up
        await emit(Token(text="two"))
        written.set()
        await asyncio.get_running_loop().create_future()
        return "unreachable"

    desk.agent.script = speak
    held = desk.runs._database.writer.submit(lambda connection: release.wait(10))
    run = await desk.start("hello")
    await written.wait()
    cancelling = asyncio.create_task(desk.runs.cancel(run.id, "bruno", "local"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    release.set()
    await held
    answer = (await cancelling).answer
    assert answer is not None
    assert (answer.response, answer.model, answer.route) == ("one two", "llm", ROUTE)


async def test_failed_run_says_which_route_it_had_taken(desk: Desk) -> None:
    async def fail(run: Run, emit: Emit) -> str:
        await emit(decided(ROUTE))
        await emit(SMALL)
        raise GatewayError("no more", code="stage_failed")

    desk.agent.script = fail
    answer = await desk.ask("hello")
    assert (answer.status, answer.model, answer.route) == ("failed", "slm", SMALL)
