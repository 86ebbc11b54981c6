from __future__ import annotations

import asyncio
import sqlite3
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import pytest
from structlog.testing import capture_logs

from agent_gateway.errors import NotFound, StorageFailed, Unavailable
from agent_gateway.events import Token
from agent_gateway.interfaces import Emit, Interaction
from agent_gateway.messages import Problem, Run
from agent_gateway.runs import RunOptions
from agent_gateway.runs import commits as commits_module
from agent_gateway.runs.records import read_events

if TYPE_CHECKING:
    from .conftest import Desk


async def trace(desk: Desk) -> list[str]:
    """The statements of the writer from now on."""
    statements: list[str] = []
    await desk.runs._database.writer.submit(lambda connection: connection.set_trace_callback(statements.append))
    return statements


async def limit_pages(desk: Desk, pages: int | None) -> None:
    """Let the database have no more than so many pages beyond its present size; None lifts the limit."""

    def limit(connection: sqlite3.Connection) -> None:
        (present,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {2**30 if pages is None else present + pages}")

    await desk.runs._database.writer.submit(limit)


def interaction_of(run: Run) -> Interaction:
    return Interaction(
        run_id=run.id,
        conversation_id=run.conversation_id,
        persona=run.persona,
        owner=run.owner,
        query=run.message,
        response="yes",
        category="query",
        sources=("a.md",),
        at=run.created_at,
    )


async def test_short_turn_is_one_transaction_with_everything_in_it(desk: Desk) -> None:
    async def remember(run: Run, emit: Emit) -> str:
        await emit(Token(text="hello"))
        desk.runs.remember(interaction_of(run))
        return "hello"

    desk.agent.script = remember
    statements = await trace(desk)
    await desk.ask("hi")
    verbs = [statement.split("(")[0].strip() for statement in statements]
    assert verbs.count("BEGIN IMMEDIATE") == 1
    assert list(dict.fromkeys(verbs)) == [
        "BEGIN IMMEDIATE",
        "INSERT INTO conversations",
        "INSERT INTO runs",
        "INSERT INTO events",
        "INSERT INTO outbox",
        "COMMIT",
    ]


async def test_runs_that_start_together_share_transactions(desk: Desk) -> None:
    statements = await trace(desk)
    await asyncio.gather(*(desk.ask(str(number)) for number in range(100)))
    assert statements.count("COMMIT") <= 10


async def test_event_is_stored_before_a_follower_sees_it(desk: Desk) -> None:
    def stored(connection: sqlite3.Connection, run_id: str) -> int:
        (last,) = connection.execute(
            "SELECT max(seq) FROM events JOIN runs ON run = number WHERE id = ?", (run_id,)
        ).fetchone()
        return int(last)

    async def slowly(run: Run, emit: Emit) -> str:
        for _ in range(5):
            await emit(Token(text="x"))
            await asyncio.sleep(0.01)
        return "x"

    desk.agent.script = slowly
    run = await desk.start("hi")
    async for event in desk.runs.follow(run.id):
        assert await desk.runs._database.read(partial(stored, run_id=run.id)) >= event.seq


async def test_events_wait_for_the_interval_unless_a_run_ends(desk: Desk) -> None:
    gate = asyncio.Event()

    async def wait(run: Run, emit: Emit) -> str:
        if run.message == "wait":
            await gate.wait()
        return "done"

    desk.agent.script = wait
    desk.options = RunOptions(event_interval_ms=3_600_000)
    await desk.reopen()
    waiting = await desk.start("wait")
    first = asyncio.ensure_future(anext(desk.runs.follow(waiting.id)))
    done, _ = await asyncio.wait([first], timeout=0.05)
    assert not done
    await desk.ask("end")
    assert (await first).type == "run_started"
    gate.set()


async def test_full_disk_fails_the_run_tells_its_followers_and_is_survived(desk: Desk) -> None:
    async def flood(run: Run, emit: Emit) -> str:
        await emit(Token(text="before"))
        await asyncio.sleep(0.05)
        await emit(Token(text="x" * int(run.message)))
        return "flooded"

    kept = await desk.ask("0")
    desk.agent.script = flood
    run = await desk.start("1000000")
    stream = desk.runs.follow(run.id)
    seen = [await anext(stream), await anext(stream)]
    await limit_pages(desk, 2)
    with capture_logs() as logs:
        seen += [event async for event in stream]
    assert [(event.seq, event.type) for event in seen] == [(1, "run_started"), (2, "token"), (3, "error")]
    problem = msgspec.json.decode(seen[-1].data, type=Problem)
    assert (problem.code, "disk is full" in problem.detail) == ("storage_failed", True)
    assert [log["runs"] for log in logs if log["event"] == "commit_failed"] == [[run.id]]
    assert (await desk.runs.get(run.id, "bruno", "local")).status == "failed"
    assert (await desk.runs.result(run.id)).error == problem
    assert await desk.events(run.id) == seen
    assert [finished.id for finished in desk.finished] == [kept.run_id]

    await limit_pages(desk, None)
    assert (await desk.ask("10")).status == "completed"
    await desk.reopen()
    # Its end was stored behind the next commit that went through.
    assert await desk.events(run.id) == seen
    assert (await desk.runs.get(run.id, "bruno", "local")).status == "failed"
    assert await desk.runs.get(kept.run_id, "bruno", "local")
    assert sorted(finished.status for finished in desk.finished) == ["completed", "completed", "failed"]


async def test_run_whose_very_first_commit_fails_is_known_and_stored_later(desk: Desk) -> None:
    await limit_pages(desk, 0)
    answer = await desk.ask("x" * 1_000_000)
    assert answer.error is not None
    assert answer.error.code == "storage_failed"
    assert [event.type for event in await desk.events(answer.run_id)] == ["error"]
    await limit_pages(desk, None)
    await desk.ask("small", answer.conversation_id)
    await desk.reopen()
    conversation = await desk.runs.conversation(answer.conversation_id, "bruno", "local")
    assert [turn.status for turn in conversation.turns] == ["failed", "completed"]


async def test_deleted_conversation_with_an_unstored_end_does_not_come_back(desk: Desk) -> None:
    kept = await desk.ask("small")
    await limit_pages(desk, 2)
    lost = await desk.ask("x" * 1_000_000, kept.conversation_id)
    assert lost.status == "failed"
    await desk.runs.delete(kept.conversation_id, "bruno", "local")
    await limit_pages(desk, None)
    await desk.ask("another")
    await desk.reopen()
    (summary,) = await desk.runs.conversations("bruno", "local", 10, "")
    assert summary.title == "another"
    with pytest.raises(NotFound):
        await desk.runs.get(lost.run_id, "bruno", "local")


async def test_still_running_agent_is_stopped_when_its_run_cannot_be_stored(desk: Desk) -> None:
    stopped = asyncio.Event()

    async def hang(run: Run, emit: Emit) -> str:
        await emit(Token(text="x" * 1_000_000))
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            stopped.set()
        return "unreachable"

    desk.agent.script = hang
    await limit_pages(desk, 0)
    run = await desk.start("hi")
    assert [event.type for event in await desk.events(run.id)] == ["error"]
    await stopped.wait()


async def test_no_more_unstored_ends_are_kept_than_the_limit(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits_module, "UNSTORED_LIMIT", 2)
    await limit_pages(desk, 0)
    answers = [await desk.ask("x" * 100_000) for _ in range(4)]
    assert len(desk.runs._executions.lives) == 2
    for answer in answers[:2]:
        with pytest.raises(NotFound):
            await desk.events(answer.run_id)


async def test_run_whose_end_was_given_up_says_so_and_is_found_interrupted_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    gates = [asyncio.Event(), asyncio.Event()]

    async def flood(run: Run, emit: Emit) -> str:
        await gates[int(run.message)].wait()
        await emit(Token(text="x" * 1_000_000))
        return "flooded"

    monkeypatch.setattr(commits_module, "UNSTORED_LIMIT", 1)
    desk.agent.script = flood
    runs = [await desk.start(str(number)) for number in range(2)]
    for run in runs:
        await anext(desk.runs.follow(run.id))
    await limit_pages(desk, 2)
    for run, gate in zip(runs, gates, strict=True):
        gate.set()
        assert (await desk.runs.result(run.id)).status == "failed"
    with pytest.raises(StorageFailed):
        await desk.events(runs[0].id)
    assert (await desk.events(runs[1].id))[-1].type == "error"
    await limit_pages(desk, None)
    await desk.reopen()
    assert (await desk.runs.get(runs[0].id, "bruno", "local")).status == "interrupted"


async def test_drain_ends_even_when_the_disk_is_full(desk: Desk) -> None:
    emitted, gate = asyncio.Event(), asyncio.Event()

    async def hang(run: Run, emit: Emit) -> str:
        await gate.wait()
        await emit(Token(text="x" * 1_000_000))
        emitted.set()
        await asyncio.get_running_loop().create_future()
        return "unreachable"

    desk.agent.script = hang
    desk.options = RunOptions(event_interval_ms=3_600_000)
    await desk.reopen()
    run = await desk.start("hi")
    follower = asyncio.create_task(desk.events(run.id))
    await desk.runs._executions.commits.execute()
    await limit_pages(desk, 2)
    gate.set()
    await emitted.wait()
    await desk.reopen()
    with pytest.raises(Unavailable):
        await follower
    assert (await desk.runs.get(run.id, "bruno", "local")).status == "interrupted"
    assert len(await desk.runs._database.read(partial(read_events, run_id=run.id, after=0, upto=None))) == 1


async def test_agent_that_outruns_the_disk_is_held_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits_module, "PENDING_LIMIT", 10_000)
    sizes: list[int] = []

    async def flood(run: Run, emit: Emit) -> str:
        for _ in range(1_000):
            await emit(Token(text="x" * 1_000))
            sizes.append(desk.runs._executions.commits._batch.size)
        return "done"

    desk.agent.script = flood
    desk.options = RunOptions(event_interval_ms=3_600_000)
    await desk.reopen()
    run = await desk.start("hi")
    events = await desk.events(run.id)
    text = "".join(msgspec.json.decode(event.data, type=Token).text for event in events if event.type == "token")
    assert len(text) == 1_000_000
    assert max(sizes) <= 12_000
