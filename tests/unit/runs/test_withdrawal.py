from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from agent_gateway.interfaces import Forgetting, Interaction
from agent_gateway.runs import StoredWithdrawal
from agent_gateway.runs.outbox import Delivery, read_delivery

if TYPE_CHECKING:
    from .conftest import Desk


def interaction(run_id: str, **changes: object) -> Interaction:
    made = Interaction(
        run_id=run_id, conversation_id="conv_1", persona="bruno", owner="local", query="q", response="a",
        category="query", sources=("a.md",), at="2026-01-01T00:00:00Z",
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


async def queued(desk: Desk) -> Delivery:
    return await desk.runs._database.read(read_delivery)


async def test_what_was_just_queued_is_taken_back(desk: Desk) -> None:
    for each in (interaction("run_1", owner="ann"), interaction("run_2"), interaction("run_3", owner="ann")):
        desk.runs.remember(each)
    assert await desk.runs.undelivered.withdraw(Forgetting(owner="ann")) == ("run_1", "run_3")
    left = await queued(desk)
    assert [each.run_id for each in left.remember] == ["run_2"]
    assert left.forget == ["run_1", "run_3"]


async def test_a_dry_run_takes_nothing_back(desk: Desk) -> None:
    desk.runs.remember(interaction("run_1"))
    assert await desk.runs.undelivered.withdraw(Forgetting(source="*", dry_run=True)) == ("run_1",)
    left = await queued(desk)
    assert ([each.run_id for each in left.remember], left.forget) == (["run_1"], [])


async def test_nothing_is_written_when_nothing_matches(desk: Desk) -> None:
    assert await desk.runs.undelivered.withdraw(Forgetting(run_id="run_1")) == ()
    assert (await queued(desk)).rows == 0


async def test_what_is_on_its_way_is_forgotten_behind_it(desk: Desk) -> None:
    here, go_on, over = asyncio.Event(), asyncio.Event(), asyncio.Event()
    calls: list[tuple[list[str], list[str]]] = []

    async def sink(remember: Sequence[Interaction], forget: Sequence[str]) -> None:
        here.set()
        await go_on.wait()
        calls.append(([each.run_id for each in remember], list(forget)))
        if forget:
            over.set()

    draining = asyncio.create_task(desk.runs.drain_into(sink))
    desk.runs.remember(interaction("run_1"))
    await here.wait()
    await desk.runs.undelivered.withdraw(Forgetting(source="a.md"))
    go_on.set()
    await over.wait()
    await desk.runs.close()
    await draining
    assert calls == [(["run_1"], []), ([], ["run_1"])]


async def test_with_no_gateway_it_is_taken_back_from_the_file(desk: Desk) -> None:
    desk.runs.remember(interaction("run_1", persona="otto"))
    desk.runs.remember(interaction("run_2"))
    await desk.runs.close()
    stored = StoredWithdrawal(desk.path)
    assert await stored.withdraw(Forgetting(source="*.md", persona="otto", dry_run=True)) == ("run_1",)
    assert await stored.withdraw(Forgetting(source="*.md", persona="otto")) == ("run_1",)
    await desk.open()
    assert [each.run_id for each in (await queued(desk)).remember] == ["run_2"]


async def test_where_there_never_was_a_run_nothing_is_made(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    assert await StoredWithdrawal(path).withdraw(Forgetting(owner="ann")) == ()
    assert not path.exists()


@pytest.mark.parametrize(
    ("which", "meant"),
    [
        (Forgetting(run_id="run_1"), True),
        (Forgetting(run_id="run_2"), False),
        (Forgetting(source="a.md"), True),
        (Forgetting(source="A.md"), False),
        (Forgetting(source="books/*"), True),
        (Forgetting(source="books/*", owner="ann"), False),
        (Forgetting(owner="local", persona="bruno"), True),
        (Forgetting(owner="local", persona="otto"), False),
    ],
)
def test_every_condition_that_is_given_must_hold(which: Forgetting, meant: bool) -> None:
    assert which.matches(interaction("run_1", sources=("a.md", "books/deep/b.md"))) is meant


@pytest.mark.parametrize("given", [{}, {"persona": "bruno"}, {"dry_run": True}, {"source": None}])
def test_not_everything_is_forgotten_by_an_oversight(given: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError, match="name a source"):
        msgspec.convert(given, Forgetting)
