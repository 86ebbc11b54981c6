from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from agent_gateway.errors import GatewayError
from agent_gateway.events import Event, EventData, RunResumed, StageFinished, Token, event_type
from agent_gateway.intent import Intent
from agent_gateway.interfaces import Emit
from agent_gateway.messages import Answer, Citation, Route, Run, ToolUse, TurnUsage
from agent_gateway.runs import RunOptions
from agent_gateway.runs.outcomes import cancelled_answer
from agent_gateway.tool import ToolCall, ToolResult

from .test_ledger import use
from .test_recovery import cut

if TYPE_CHECKING:
    from .conftest import Desk

ROUTE = Route(tier="large", model="hosted_vllm/big", score=12, parts={"words": 12}, reason="score 12")
SMALL = Route(tier="small", model="ollama_chat/llama3:8b", score=12, parts={}, reason="the large tier is down")
RUN = Run(
    id="run_1", conversation_id="conv_1", persona="bruno", owner="local", message="hi", status="running", attempts=1,
    created_at="2026-01-01T00:00:00Z",
)  # fmt: skip

INTENT = Intent(category="ask", complexity="low", reasoning_depth=1, accuracy_requirement=1, confidence=0.9)
CITATION = Citation(n=1, source="a.md", title="A", chunk=0, score=0.5)
CALLS = (
    ToolUse(id="call-1", name="look", arguments={"at": "a"}, status="ok", ms=2.5),
    ToolUse(id="call-2", name="ring", arguments={}, status="refused", ms=0.0),
    # Cut while it ran.
    ToolUse(id="call-3", name="wait", arguments={}, status="failed", ms=0.0),
)
#: A turn that gets as far as its third tool call.
TOLD: tuple[EventData, ...] = (
    StageFinished(stage="classify", ms=0.1, result={"intent": INTENT}),
    StageFinished(stage="retrieve", ms=0.1, result={"passages": 4, "question": "hi"}),
    StageFinished(stage="route", ms=0.1, result={"route": ROUTE}),
    Token(text="one "),
    ToolCall(id="call-1", name="look", arguments={"at": "a"}),
    ToolResult(call_id="call-1", name="look", status="ok", text="seen", ms=2.5),
    ToolCall(id="call-2", name="ring", arguments={}),
    ToolResult(call_id="call-2", name="ring", status="refused", text="no"),
    CITATION,
    ToolCall(id="call-3", name="wait", arguments={}),
)


def remains(answer: Answer) -> tuple[Any, ...]:
    """What an answer says of the turn, but for its text."""
    return answer.intent, answer.context_used, answer.route, answer.tool_calls, answer.citations, answer.usage


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


async def test_cut_answers_say_all_that_was_known_of_the_turn(desk: Desk) -> None:
    begun = asyncio.Event()

    async def speak(run: Run, emit: Emit) -> str:
        for each in TOLD:
            await emit(each)
        record = desk.runs.ledger.record
        record(use(run_id=run.id))
        record(use(run_id=run.id, cost=0.5, estimated=True))
        record(use(run_id=run.id, stage="classify"))
        record(use(run_id="run_of_another"))
        begun.set()
        if run.message == "fail":
            raise GatewayError("no more", code="stage_failed")
        await asyncio.get_running_loop().create_future()
        return "unreachable"

    desk.agent.script = speak
    failed = await desk.ask("fail")
    begun.clear()
    run = await desk.start("hang")
    await begun.wait()
    cancelled = (await desk.runs.cancel(run.id, "bruno", "local")).answer
    assert cancelled is not None
    usage = TurnUsage(prompt_tokens=200, completion_tokens=40, cost=0.75, estimated=True)
    assert remains(cancelled) == remains(failed) == (INTENT, 4, ROUTE, CALLS, (CITATION,), usage)
    assert (cancelled.status, cancelled.response) == ("cancelled", "one ")
    assert (failed.status, failed.response, failed.error and failed.error.code) == ("failed", "no more", "stage_failed")


async def test_run_that_no_model_was_asked_for_has_no_usage(desk: Desk) -> None:
    async def fail(run: Run, emit: Emit) -> str:
        # Nothing came from its server.
        desk.runs.ledger.record(use(run_id=run.id, prompt_tokens=0, completion_tokens=0, cost=0.0))
        raise GatewayError("no more")

    desk.agent.script = fail
    assert (await desk.ask("hello")).usage is None


@pytest.mark.parametrize("attempts", [1, 3], ids=["given up", "cancelled"])
async def test_run_that_is_not_taken_up_again_says_what_its_last_attempt_told(desk: Desk, attempts: int) -> None:
    desk.options = RunOptions(max_attempts=attempts)
    await desk.reopen()
    run = await cut(desk, "hello", told=TOLD)
    if attempts == 1:
        assert await desk.runs.recover() == 1
        answer = await desk.runs.result(run.id)
    else:
        found = (await desk.runs.cancel(run.id, "bruno", "local")).answer
        assert found is not None
        answer = found
    assert remains(answer) == (INTENT, 4, ROUTE, CALLS, (CITATION,), None)


async def test_run_ends_whatever_a_plugin_put_into_its_events(desk: Desk) -> None:
    wrong: Any = "wrong"

    async def fail(run: Run, emit: Emit) -> str:
        await emit(ToolCall(id="call-1", name="look", arguments=wrong))
        await emit(ToolResult(call_id="call-1", name="look", status=wrong, text=""))
        await emit(Citation(n=wrong, source="a.md", title="A", chunk=0, score=0.5))
        await emit(StageFinished(stage="classify", ms=0.1, result={"intent": 1, "passages": "many", "route": []}))
        await emit(StageFinished(stage="act", ms=0.1, result=wrong))
        raise GatewayError("no more")

    desk.agent.script = fail
    assert remains(await desk.ask("hello")) == (None, 0, None, (), (), None)
