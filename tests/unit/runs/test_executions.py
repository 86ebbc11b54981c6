from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest
from structlog.testing import capture_logs

from agent_gateway.errors import Conflict, GatewayError, InvalidInput, NotFound, Unavailable
from agent_gateway.events import RunStarted, StageFinished, Token
from agent_gateway.interfaces import Emit, Runs, TurnRequest
from agent_gateway.messages import Answer, Citation, Exchange, Problem, Run
from agent_gateway.runs import RunOptions

if TYPE_CHECKING:
    from .conftest import Desk


def never() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


async def test_events_of_a_turn_are_numbered_from_run_started_to_done(desk: Desk) -> None:
    run = await desk.start("hello there friend")
    events = await desk.events(run.id)
    assert [event.type for event in events] == ["run_started", "stage_started", "token", "stage_finished", "done"]
    assert [event.seq for event in events] == [1, 2, 3, 4, 5]
    assert msgspec.json.decode(events[0].data) == {
        "run_id": run.id,
        "conversation_id": run.conversation_id,
        "persona": "bruno",
    }


async def test_tokens_of_one_commit_become_one_event_with_all_their_text(desk: Desk) -> None:
    run = await desk.start('say "ä€🙂" \\ \x00 twice')
    events = await desk.events(run.id)
    tokens = [msgspec.json.decode(event.data, type=Token).text for event in events if event.type == "token"]
    assert tokens == ['say "ä€🙂" \\ \x00 twice ']


async def test_done_event_result_and_stored_run_are_the_same_answer(desk: Desk) -> None:
    run = await desk.start("hello")
    answer = await desk.runs.result(run.id)
    events = await desk.events(run.id)
    stored = await desk.runs.get(run.id, "bruno", "local")
    assert msgspec.json.decode(events[-1].data, type=Answer) == answer == stored.answer
    assert (stored.status, stored.attempts, answer.status) == ("completed", 1, "completed")
    assert stored.finished_at is not None
    assert stored.created_at < stored.finished_at


async def test_expected_error_ends_the_run_with_its_code_and_hint(desk: Desk) -> None:
    async def fail(run: Run, emit: Emit) -> str:
        await emit(Token(text="half"))
        raise GatewayError("retrieve failed", code="knowledge_down", hint="start it\udcff")

    desk.agent.script = fail
    run = await desk.start("hello")
    events = await desk.events(run.id)
    problem = Problem(code="knowledge_down", detail="retrieve failed", hint="start it?")
    assert [event.type for event in events] == ["run_started", "token", "error"]
    assert msgspec.json.decode(events[-1].data, type=Problem) == problem
    answer = await desk.runs.result(run.id)
    assert (answer.status, answer.model, answer.response) == ("failed", "extractive", "retrieve failed")
    assert answer.error == problem
    assert (await desk.runs.get(run.id, "bruno", "local")).status == "failed"


async def test_bug_ends_the_run_without_detail_and_is_logged_with_its_traceback(desk: Desk) -> None:
    async def crash(run: Run, emit: Emit) -> str:
        raise ZeroDivisionError("secret detail")

    desk.agent.script = crash
    with capture_logs() as logs:
        answer = await desk.ask("hello")
    assert answer.error is not None
    assert answer.error.code == "internal_error"
    assert "secret" not in answer.response + answer.error.hint
    (entry,) = [log for log in logs if log["event"] == "run_crashed"]
    assert isinstance(entry["exc_info"], ZeroDivisionError)
    assert entry["run_id"] == answer.run_id


async def test_agent_that_cancels_itself_ends_in_an_error_not_in_silence(desk: Desk) -> None:
    async def give_up(run: Run, emit: Emit) -> str:
        raise asyncio.CancelledError

    desk.agent.script = give_up
    answer = await desk.ask("hello")
    assert answer.error is not None
    assert answer.error.code == "internal_error"


@pytest.mark.parametrize(
    "data",
    [
        RunStarted(run_id="run_1", conversation_id="conv_1", persona="bruno"),
        Problem(code="made_up", detail="an end of its own"),
        Token(text="lone \ud800 surrogate"),
        StageFinished(stage="act", ms=1.0, result={"vector": object()}),
    ],
)
async def test_event_that_may_not_or_cannot_be_sent_fails_the_run(desk: Desk, data: Problem | Token) -> None:
    async def misbehave(run: Run, emit: Emit) -> str:
        await emit(data)
        return "unreachable"

    desk.agent.script = misbehave
    run = await desk.start("hello")
    events = await desk.events(run.id)
    assert [event.type for event in events] == ["run_started", "error"]
    assert msgspec.json.decode(events[-1].data, type=Problem).code == "invalid_event"


async def test_answer_that_is_not_unicode_fails_the_run(desk: Desk) -> None:
    async def answer_badly(run: Run, emit: Emit) -> str:
        return "lone \ud800 surrogate"

    desk.agent.script = answer_badly
    answer = await desk.ask("hello")
    assert answer.error is not None
    assert answer.error.code == "invalid_event"


async def test_turns_of_a_conversation_run_one_after_the_other_and_see_the_earlier_ones(desk: Desk) -> None:
    running: list[str] = []

    async def slowly(run: Run, emit: Emit) -> str:
        assert not running
        running.append(run.message)
        await emit(Token(text="x"))
        await asyncio.sleep(0.01)
        running.pop()
        return f"re: {run.message}"

    desk.agent.script = slowly
    first = await desk.start("one")
    others = [await desk.start(message, first.conversation_id) for message in ("two", "three")]
    await asyncio.gather(*(desk.runs.result(run.id) for run in others))
    assert [(run.message, len(history)) for run, history in desk.agent.turns] == [("one", 0), ("two", 1), ("three", 2)]
    assert desk.agent.turns[2][1][0] == Exchange(message="one", response="re: one")


async def test_history_is_the_last_ten_completed_exchanges_from_memory_and_from_disk(desk: Desk) -> None:
    async def fail_on_demand(run: Run, emit: Emit) -> str:
        if run.message == "fail":
            raise GatewayError("no")
        return f"re: {run.message}"

    desk.agent.script = fail_on_demand
    conversation_id = (await desk.ask("0")).conversation_id
    for number in range(1, 12):
        await desk.ask(str(number), conversation_id)
    await desk.ask("fail", conversation_id)
    await desk.ask("from memory", conversation_id)
    await desk.reopen()
    await desk.ask("from disk", conversation_id)
    memory, disk = (history for _, history in desk.agent.turns[-2:])
    assert [exchange.message for exchange in memory] == [str(number) for number in range(2, 12)]
    assert [exchange.message for exchange in disk] == [*(str(number) for number in range(3, 12)), "from memory"]
    assert disk[-1].response == "re: from memory"


async def test_cancel_ends_the_run_with_the_response_so_far(desk: Desk) -> None:
    emitted = asyncio.Event()
    citation = Citation(n=1, source="a.md", title="A", chunk=0, score=0.5)

    async def hang(run: Run, emit: Emit) -> str:
        await emit(Token(text="so "))
        await emit(citation)
        await emit(Token(text='"far"'))
        emitted.set()
        await never()
        return "unreachable"

    desk.agent.script = hang
    run = await desk.start("hello")
    await emitted.wait()
    ended = await desk.runs.cancel(run.id, "bruno", "local")
    assert ended.status == "cancelled"
    assert ended.answer is not None
    assert (ended.answer.response, ended.answer.citations) == ('so "far"', (citation,))
    events = await desk.events(run.id)
    assert [event.type for event in events] == ["run_started", "token", "citation", "token", "done"]
    assert msgspec.json.decode(events[-1].data, type=Answer) == ended.answer
    with pytest.raises(Conflict) as conflict:
        await desk.runs.cancel(run.id, "bruno", "local")
    assert conflict.value.code == "run_ended"


async def test_queued_turn_can_be_cancelled_and_the_next_one_still_runs(desk: Desk) -> None:
    gate = asyncio.Event()

    async def wait(run: Run, emit: Emit) -> str:
        await gate.wait()
        return "done"

    desk.agent.script = wait
    first = await desk.start("one")
    second = await desk.start("two", first.conversation_id)
    third = await desk.start("three", first.conversation_id)
    assert (await desk.runs.cancel(second.id, "bruno", "local")).status == "cancelled"
    gate.set()
    assert (await desk.runs.result(third.id)).status == "completed"
    assert [run.message for run, _ in desk.agent.turns] == ["one", "three"]


async def test_follower_that_goes_away_does_not_lose_the_answer(desk: Desk) -> None:
    gate = asyncio.Event()

    async def wait(run: Run, emit: Emit) -> str:
        await gate.wait()
        return "kept"

    desk.agent.script = wait
    run = await desk.start("hello")
    follower = asyncio.create_task(desk.events(run.id))
    await asyncio.sleep(0)
    follower.cancel()
    gate.set()
    assert (await desk.runs.result(run.id)).response == "kept"


async def test_another_persona_owner_or_unknown_conversation_is_not_found(desk: Desk) -> None:
    answer = await desk.ask("hello")
    for persona, owner, conversation_id in (
        ("auditor", "local", answer.conversation_id),
        ("bruno", "somebody", answer.conversation_id),
        ("bruno", "local", "conv_unknown"),
    ):
        request = TurnRequest(persona=persona, owner=owner, message="hi", conversation_id=conversation_id)
        with pytest.raises(NotFound) as not_found:
            await desk.runs.start(request)
        assert not_found.value.code == "conversation_not_found"
        with pytest.raises(NotFound) as not_found:
            await desk.runs.get(answer.run_id if persona != "bruno" or owner != "local" else "run_x", persona, owner)
        assert not_found.value.code == "run_not_found"


async def test_unserved_persona_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound) as not_found:
        await desk.runs.start(TurnRequest(persona="nobody", owner="local", message="hi"))
    assert not_found.value.code == "persona_not_served"


async def test_message_with_a_lone_surrogate_is_refused_and_harms_no_other_run(desk: Desk) -> None:
    run = await desk.start("fine")
    with pytest.raises(InvalidInput):
        await desk.start("\ud800")
    assert (await desk.runs.result(run.id)).response == "fine"


async def test_more_turns_than_allowed_are_refused_until_one_ends(desk: Desk) -> None:
    gate = asyncio.Event()

    async def wait(run: Run, emit: Emit) -> str:
        await gate.wait()
        return "done"

    desk.agent.script = wait
    desk.options = RunOptions(max_running=2)
    await desk.reopen()
    started = [await desk.start("one"), await desk.start("two")]
    with pytest.raises(Unavailable) as refused:
        await desk.start("three")
    assert refused.value.code == "too_many_runs"
    gate.set()
    await asyncio.gather(*(desk.runs.result(run.id) for run in started))
    assert (await desk.ask("three")).status == "completed"


async def test_listener_hears_of_a_run_once_it_is_stored(desk: Desk) -> None:
    answer = await desk.ask("hello")
    await asyncio.sleep(0)
    (run,) = desk.finished
    assert (run.id, run.status, run.answer) == (answer.run_id, "completed", answer)
    await desk.reopen()
    assert await desk.runs.get(run.id, "bruno", "local") == run


async def test_agent_that_never_waits_lets_other_runs_go_on(desk: Desk) -> None:
    stop = asyncio.Event()

    async def spin_or_answer(run: Run, emit: Emit) -> str:
        while run.message == "spin" and not stop.is_set():
            await emit(Token(text="round "))
        return "done"

    desk.agent.script = spin_or_answer
    spinning = await desk.start("spin")
    assert (await desk.ask("answer")).response == "done"
    stop.set()
    assert (await desk.runs.result(spinning.id)).status == "completed"


async def test_runs_implement_the_protocol_of_the_http_edge(desk: Desk) -> None:
    runs: Runs = desk.runs
    assert await runs.conversations("bruno", "local", 10, "") == []
