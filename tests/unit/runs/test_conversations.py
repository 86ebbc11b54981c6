from __future__ import annotations

import asyncio
import sqlite3
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import pytest

from agent_gateway.errors import GatewayError, NotFound
from agent_gateway.events import Token
from agent_gateway.interfaces import Emit, TurnRequest
from agent_gateway.messages import Run
from agent_gateway.runs.histories import IDLE_LIMIT

if TYPE_CHECKING:
    from .conftest import Desk


def count(connection: sqlite3.Connection, table: str) -> int:
    (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(rows)


async def test_conversation_has_its_turns_in_order_with_their_answers(desk: Desk) -> None:
    async def fail_second(run: Run, emit: Emit) -> str:
        if run.message == "second":
            raise GatewayError("no")
        return f"re: {run.message}"

    desk.agent.script = fail_second
    first = await desk.ask("  the first\n message  ")
    second = await desk.ask("second", first.conversation_id)
    conversation = await desk.runs.conversation(first.conversation_id, "bruno", "local")
    assert (conversation.id, conversation.persona, conversation.title) == (
        first.conversation_id,
        "bruno",
        "the first message",
    )
    assert [(turn.run_id, turn.status, turn.answer) for turn in conversation.turns] == [
        (first.run_id, "completed", first),
        (second.run_id, "failed", second),
    ]
    assert conversation.created_at < conversation.updated_at


async def test_pages_are_newest_first_and_neither_skip_nor_repeat(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.ask(str(number)) for number in range(7)))
    await desk.ask("again", answers[3].conversation_id)
    seen: list[str] = []
    before = ""
    while page := await desk.runs.conversations("bruno", "local", 3, before):
        seen += [summary.id for summary in page]
        assert len(page) <= 3
        before = page[-1].updated_at
    assert seen[0] == answers[3].conversation_id
    assert sorted(seen) == sorted(answer.conversation_id for answer in answers)
    (newest, *_) = await desk.runs.conversations("bruno", "local", 1, "")
    assert (newest.title, newest.turns) == ("3", 2)


async def test_only_the_owner_of_the_same_persona_sees_a_conversation(desk: Desk) -> None:
    answer = await desk.ask("mine")
    for persona, owner in (("auditor", "local"), ("bruno", "somebody")):
        assert await desk.runs.conversations(persona, owner, 10, "") == []
        for look in (desk.runs.conversation, desk.runs.delete):
            with pytest.raises(NotFound) as not_found:
                await look(answer.conversation_id, persona, owner)
            assert not_found.value.code == "conversation_not_found"
    assert await desk.runs.conversation(answer.conversation_id, "bruno", "local")


async def test_delete_removes_every_trace_and_queues_the_forgetting(desk: Desk) -> None:
    answer = await desk.ask("forget me")
    second = await desk.ask("me too", answer.conversation_id)
    await desk.runs.delete(answer.conversation_id, "bruno", "local")
    for table, rows in (("conversations", 0), ("runs", 0), ("events", 0), ("outbox", 1)):
        assert await desk.runs._database.read(partial(count, table=table)) == rows
    payload = await desk.runs._database.read(
        lambda connection: connection.execute("SELECT payload FROM outbox WHERE kind = 'forget'").fetchone()[0]
    )
    assert sorted(msgspec.json.decode(payload)) == sorted([answer.run_id, second.run_id])
    for again in (desk.runs.conversation, desk.runs.delete):
        with pytest.raises(NotFound):
            await again(answer.conversation_id, "bruno", "local")
    with pytest.raises(NotFound):
        await desk.start("still there?", answer.conversation_id)
    with pytest.raises(NotFound):
        await desk.runs.get(answer.run_id, "bruno", "local")


async def test_delete_stops_what_runs_in_the_conversation_and_lets_nothing_start(desk: Desk) -> None:
    emitted = asyncio.Event()

    async def hang(run: Run, emit: Emit) -> str:
        await emit(Token(text="x"))
        emitted.set()
        await asyncio.get_running_loop().create_future()
        return "unreachable"

    desk.agent.script = hang
    run = await desk.start("running")
    queued = await desk.start("queued", run.conversation_id)
    await emitted.wait()
    results = asyncio.gather(desk.runs.result(run.id), desk.runs.result(queued.id))
    deleting = asyncio.create_task(desk.runs.delete(run.conversation_id, "bruno", "local"))
    await asyncio.sleep(0)
    with pytest.raises(NotFound):
        await desk.start("too late", run.conversation_id)
    await deleting
    assert [answer.status for answer in await results] == ["cancelled", "cancelled"]
    assert await desk.runs._database.read(partial(count, table="runs")) == 0


async def test_turn_and_deletion_at_the_same_time_leave_no_half_conversation(desk: Desk) -> None:
    conversation_id = (await desk.ask("one")).conversation_id
    await desk.reopen()
    request = TurnRequest(persona="bruno", owner="local", message="two", conversation_id=conversation_id)
    run, _ = await asyncio.gather(
        desk.runs.start(request),
        desk.runs.delete(conversation_id, "bruno", "local"),
        return_exceptions=True,
    )
    assert isinstance(run, Run | NotFound)
    assert await desk.runs._database.read(partial(count, table="conversations")) == 0
    assert await desk.runs._database.read(partial(count, table="runs")) == 0


async def test_conversations_in_memory_are_bounded_and_reloaded_when_needed(desk: Desk) -> None:
    first = await desk.ask("first")
    for number in range(IDLE_LIMIT + 10):
        await desk.ask(str(number))
    assert len(desk.runs._executions.histories) == IDLE_LIMIT
    assert len(desk.runs._executions.lives) == 0
    await desk.ask("next", first.conversation_id)
    assert [exchange.message for exchange in desk.agent.turns[-1][1]] == ["first"]
