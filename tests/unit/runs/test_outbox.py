from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from agent_gateway.errors import StorageFailed
from agent_gateway.interfaces import Interaction
from agent_gateway.runs import RunOptions
from agent_gateway.runs import outbox as outbox_module
from agent_gateway.runs.outbox import read_delivery

if TYPE_CHECKING:
    from .conftest import Desk


def interaction(number: int, run_id: str = "") -> Interaction:
    return Interaction(
        run_id=run_id or f"run_{number}",
        conversation_id="conv_1",
        persona="bruno",
        owner="local",
        query=f"question {number}",
        response="answer",
        category="query",
        sources=("a.md", "b.md"),
        at="2026-01-01T00:00:00Z",
    )


class Sink:
    """Takes what it is given, after failing so many times; `enough` is set at so many interactions."""

    def __init__(self, expected: int, failures: int = 0) -> None:
        self.expected, self.failures = expected, failures
        self.batches: list[list[Interaction]] = []
        self.forgotten: list[str] = []
        self.enough = asyncio.Event()

    async def __call__(self, remember: Sequence[Interaction], forget: Sequence[str]) -> None:
        if self.failures:
            self.failures -= 1
            raise StorageFailed("the knowledge base is closed")
        self.batches.append(list(remember))
        self.forgotten += forget
        if len(self.taken) + len(self.forgotten) >= self.expected:
            self.enough.set()

    @property
    def taken(self) -> list[Interaction]:
        return [interaction for batch in self.batches for interaction in batch]


async def rows(desk: Desk) -> int:
    return (await desk.runs._database.read(read_delivery)).rows


async def test_rows_arrive_once_in_order_and_in_batches(desk: Desk) -> None:
    expected = [interaction(number) for number in range(1_200)]
    sink = Sink(len(expected))
    draining = asyncio.create_task(desk.runs.drain_into(sink))
    for item in expected:
        desk.runs.remember(item)
    await sink.enough.wait()
    await desk.runs.close()
    await draining
    assert sink.taken == expected
    assert max(len(batch) for batch in sink.batches) == outbox_module.BATCH
    await desk.open()
    assert await rows(desk) == 0


async def test_rows_survive_a_restart(desk: Desk) -> None:
    desk.runs.remember(interaction(1))
    await desk.reopen()
    sink = Sink(1)
    draining = asyncio.create_task(desk.runs.drain_into(sink))
    await sink.enough.wait()
    assert sink.taken == [interaction(1)]
    await desk.runs.close()
    await draining


async def test_failing_sink_is_tried_again_with_the_same_rows(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "FIRST_RETRY_SECONDS", 0.001)
    sink = Sink(1, failures=3)
    desk.runs.remember(interaction(1))
    with capture_logs() as logs:
        draining = asyncio.create_task(desk.runs.drain_into(sink))
        await sink.enough.wait()
    assert [log["retry_seconds"] for log in logs if log["event"] == "outbox_waits"] == [0.001, 0.002, 0.004]
    assert sink.taken == [interaction(1)]
    await desk.runs.close()
    await draining


async def test_close_hands_over_at_once_what_would_have_waited_for_company(desk: Desk) -> None:
    desk.options = RunOptions(outbox_delay_seconds=3_600)
    await desk.reopen()
    sink = Sink(1)
    draining = asyncio.create_task(desk.runs.drain_into(sink))
    await asyncio.sleep(0)
    desk.runs.remember(interaction(1))
    await desk.runs.close()
    await draining
    assert sink.taken == [interaction(1)]


async def test_close_does_not_wait_for_a_sink_that_keeps_failing(desk: Desk) -> None:
    sink = Sink(1, failures=1_000)
    desk.runs.remember(interaction(1))
    draining = asyncio.create_task(desk.runs.drain_into(sink))
    await desk.runs.close()
    await draining
    await desk.open()
    assert await rows(desk) == 1


async def test_deleted_conversation_is_forgotten_and_not_remembered_first(desk: Desk) -> None:
    answer = await desk.ask("hello")
    desk.runs.remember(interaction(1, answer.run_id))
    desk.runs.remember(interaction(2))
    await desk.runs.delete(answer.conversation_id, "bruno", "local")
    sink = Sink(2)
    draining = asyncio.create_task(desk.runs.drain_into(sink))
    await sink.enough.wait()
    assert sink.taken == [interaction(2)]
    assert sink.forgotten == [answer.run_id]
    await desk.runs.close()
    await draining


async def test_deleted_conversation_is_forgotten_at_once(desk: Desk) -> None:
    sink = Sink(1)
    draining = asyncio.create_task(desk.runs.drain_into(sink))
    answer = await desk.ask("hello")
    await asyncio.sleep(0.05)
    await desk.runs.delete(answer.conversation_id, "bruno", "local")
    await sink.enough.wait()
    assert sink.forgotten == [answer.run_id]
    await desk.runs.close()
    await draining


async def test_row_that_cannot_be_read_does_not_hold_up_the_others(desk: Desk) -> None:
    await desk.runs._database.write(
        lambda connection: connection.execute(
            "INSERT INTO outbox (kind, payload, created_at) VALUES ('remember', ?, '')", (b'{"old": 1}',)
        )
    )
    desk.runs.remember(interaction(1))
    sink = Sink(1)
    draining = asyncio.create_task(desk.runs.drain_into(sink))
    await sink.enough.wait()
    await desk.runs.close()
    await draining
    assert sink.taken == [interaction(1)]
