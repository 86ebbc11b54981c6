from __future__ import annotations

import asyncio
import sqlite3
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from agent_gateway.errors import StorageFailed
from agent_gateway.events import Token
from agent_gateway.interfaces import Emit, ModelUse
from agent_gateway.messages import Run
from agent_gateway.runs import RunOptions, SqliteRuns
from agent_gateway.runs import commits as commits_module
from agent_gateway.runs.migrations import MIGRATIONS, migrate
from agent_gateway.runs.uses import open_uses, read_groups, read_total

from .test_commits import limit_pages, trace

if TYPE_CHECKING:
    from .conftest import Desk

DAY, NEXT_DAY = "2026-03-01", "2026-03-02"


def use(persona: str = "bruno", *, at: str = f"{DAY}T10:00:00.000000Z", **changes: Any) -> ModelUse:
    """A call that cost 0.25 USD, and would have cost 1 USD with the large model."""
    given: dict[str, Any] = {
        "run_id": "run_1", "persona": persona, "stage": "act", "tier": "small", "model": "ollama_chat/llama3:8b",
        "prompt_tokens": 100, "completion_tokens": 20, "estimated": False, "cost": 0.25, "large_cost": 1.0, "ms": 40.0,
        "outcome": "ok", "at": at,
    }  # fmt: skip
    return ModelUse(**(given | changes))


class Today:
    """A calendar that the test turns."""

    def __init__(self) -> None:
        self.day = DAY

    def __call__(self) -> str:
        return self.day


async def open_runs(path: Path, today: Today) -> SqliteRuns:
    return await SqliteRuns.open(path, {}, RunOptions(event_interval_ms=0), today=today)


def stored(path: Path) -> list[tuple[object, ...]]:
    """What is in the table, seen from outside."""
    with open_uses(path) as connection:
        assert connection is not None
        return connection.execute("SELECT persona, day, cost, prompt_tokens FROM model_uses ORDER BY id").fetchall()


def delete_all(path: Path) -> None:
    with open_uses(path) as connection:
        assert connection is not None
        connection.execute("DELETE FROM model_uses")


async def test_what_was_spent_today_is_known_at_once_and_after_a_restart(tmp_path: Path) -> None:
    today, path = Today(), tmp_path / "runs.db"
    runs = await open_runs(path, today)
    assert runs.ledger.spent("bruno") == 0
    for persona in ("bruno", "bruno", "jamie"):
        runs.ledger.record(use(persona))
    assert (runs.ledger.spent("bruno"), runs.ledger.spent("jamie")) == (0.5, 0.25)
    await runs.close()
    assert len(stored(path)) == 3
    again = await open_runs(path, today)
    assert (again.ledger.spent("bruno"), again.ledger.spent("jamie"), again.ledger.spent("x")) == (0.5, 0.25, 0)
    await again.close()


async def test_at_midnight_the_sums_begin_anew(tmp_path: Path) -> None:
    today, path = Today(), tmp_path / "runs.db"
    runs = await open_runs(path, today)
    runs.ledger.record(use())
    today.day = NEXT_DAY
    assert runs.ledger.spent("bruno") == 0
    runs.ledger.record(use(at=f"{NEXT_DAY}T00:00:01.000000Z", cost=0.125))
    # A call of yesterday that is only recorded now counts for yesterday.
    runs.ledger.record(use(at=f"{DAY}T23:59:59.000000Z", cost=64.0))
    assert runs.ledger.spent("bruno") == 0.125
    await runs.close()
    again = await open_runs(path, today)
    assert again.ledger.spent("bruno") == 0.125
    await again.close()


async def test_a_use_goes_into_the_commit_of_everything_else(desk: Desk) -> None:
    async def speak(run: Run, emit: Emit) -> str:
        await emit(Token(text="hello"))
        for number in range(3):
            desk.runs.ledger.record(use(run_id=run.id, prompt_tokens=number))
        return "hello"

    desk.agent.script = speak
    statements = await trace(desk)
    await desk.ask("hi")
    assert sum(statement == "COMMIT" for statement in statements) == 1
    assert sum("model_uses" in statement for statement in statements) <= 2
    assert [row[3] for row in stored(desk.path)] == [0, 1, 2]


async def test_a_use_without_a_run_that_goes_on_is_stored_within_the_interval(desk: Desk) -> None:
    desk.runs.ledger.record(use())
    async with asyncio.timeout(5):
        while not stored(desk.path):  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.01)


async def test_rows_outlive_their_conversation_and_hold_nothing_that_was_written(desk: Desk) -> None:
    async def speak(run: Run, emit: Emit) -> str:
        await emit(Token(text="the secret of bruno"))
        desk.runs.ledger.record(use(run_id=run.id))
        return "the secret of bruno"

    desk.agent.script = speak
    answer = await desk.ask("tell me the secret")
    await desk.runs.delete(answer.conversation_id, "bruno", "local")
    with open_uses(desk.path) as connection:
        assert connection is not None
        (row,) = connection.execute("SELECT * FROM model_uses").fetchall()
    assert answer.run_id in row
    assert "secret" not in str(row)


async def test_sums_stay_when_the_disk_is_full_and_rows_are_stored_later(desk: Desk) -> None:
    await limit_pages(desk, 0)
    with capture_logs():
        desk.runs.ledger.record(use(at=f"{DAY}T10:00:00Z"))
        failed = await desk.ask("x" * 1_000_000)
        assert failed.status == "failed"
    assert stored(desk.path) == []
    await limit_pages(desk, None)
    assert (await desk.ask("small")).status == "completed"
    assert stored(desk.path) == [("bruno", DAY, 0.25, 100)]


async def test_no_more_unstored_uses_are_kept_than_the_limit(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits_module, "UNSTORED_USES_LIMIT", 2)
    await limit_pages(desk, 0)
    with capture_logs():
        for number in range(5):
            desk.runs.ledger.record(use(prompt_tokens=number))
        await desk.ask("x" * 1_000_000)
    await limit_pages(desk, None)
    await desk.ask("small")
    assert [row[3] for row in stored(desk.path)] == [3, 4]


async def test_nonsense_of_a_server_does_not_undo_the_commit_of_other_runs(desk: Desk) -> None:
    async def speak(run: Run, emit: Emit) -> str:
        desk.runs.ledger.record(use(prompt_tokens=10**30, completion_tokens=-1, cost=float("nan"), outcome="\ud800"))
        return "fine"

    desk.agent.script = speak
    assert (await desk.ask("hi")).status == "completed"
    assert stored(desk.path) == [("bruno", DAY, 0.0, 2**53)]


async def test_groups_are_added_up_and_the_dearest_comes_first(desk: Desk) -> None:
    ledger = desk.runs.ledger
    ledger.record(use("jamie", ms=100))
    ledger.record(use("bruno", tier="large", cost=1.0, stage="classify", estimated=True))
    ledger.record(use("bruno", outcome="model_timeout", ms=9000, cost=0.0, prompt_tokens=0, completion_tokens=0,
                      large_cost=0.0))  # fmt: skip
    ledger.record(use("bruno", outcome="cancelled", ms=9000, cost=0.5, large_cost=0.0))
    ledger.record(use("bruno", at="2026-02-01T10:00:00Z", cost=8.0))
    await desk.runs._executions.commits.execute()
    with open_uses(desk.path) as connection:
        assert connection is not None
        bruno, jamie = read_groups(connection, by="persona", since=DAY)
        total = read_total(connection, since=DAY)
        of = partial(read_groups, connection, since=DAY)
        names = {by: [each.name for each in of(by=by)] for by in ("tier", "stage")}
        days = [(each.name, each.calls) for each in read_groups(connection, by="day", since="", persona="bruno")]
    assert (bruno.name, bruno.calls, bruno.failed, bruno.cost, bruno.estimated) == ("bruno", 3, 1, 1.5, True)
    assert (bruno.mean_ms, jamie.mean_ms) == (40, 100)
    assert (jamie.large_cost, jamie.saving, jamie.unpriced) == (1.0, 0.75, 0)
    # The call that was made without a price of the large model is in no comparison.
    assert (bruno.large_cost, bruno.saving, bruno.unpriced) == (1.0, 0.0, 1)
    assert (total.calls, total.prompt_tokens, total.completion_tokens, total.saving) == (4, 300, 60, 0.75)
    assert names == {"tier": ["large", "small"], "stage": ["classify", "act"]}
    assert days == [("2026-02-01", 1), (DAY, 3)]


def test_a_database_without_a_ledger_has_no_uses(tmp_path: Path) -> None:
    with open_uses(tmp_path / "none.db") as connection:
        assert connection is None
    old = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    migrate(old, MIGRATIONS[:1])
    old.close()
    with open_uses(tmp_path / "old.db") as connection:
        assert connection is None


def test_uses_are_only_read_and_a_damaged_file_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    writer = sqlite3.connect(path, isolation_level=None)
    migrate(writer)
    writer.close()
    with pytest.raises(StorageFailed, match="readonly"):
        delete_all(path)
    path.write_bytes(b"this is not a database" * 1_000)
    with pytest.raises(StorageFailed, match="not a database"), open_uses(path):
        pytest.fail("it was opened")


def test_the_day_and_the_persona_are_found_by_index() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    plan = connection.execute(
        "EXPLAIN QUERY PLAN SELECT sum(cost) FROM model_uses WHERE day >= '2026' GROUP BY day, persona"
    ).fetchall()
    connection.close()
    assert "model_uses_by_day" in str(plan)
