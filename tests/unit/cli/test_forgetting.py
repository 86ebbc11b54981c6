from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.live_edge import live_edge
from tests.memory_gateway import TOKEN, MemoryGateway, MemoryKnowledge
from tests.unit.cli.conftest import Cli

from agent_gateway.cli.administration import LocalAdministration
from agent_gateway.cli.control import ControlClient
from agent_gateway.errors import GatewayError
from agent_gateway.interfaces import Forgetting, Interaction

LATIN = os.fsdecode(b"caf\xe9")


def remembering() -> MemoryKnowledge:
    """Knowledge that remembers what two people asked."""
    knowledge = MemoryKnowledge()
    knowledge.remembered = [
        Interaction(
            run_id=f"run_{owner}_{number}", conversation_id="c", persona="bruno", owner=owner, query="q", response="a",
            category="query", sources=(f"{number}.md",), at="2026-01-01T00:00:00Z",
        )
        for owner in ("ann", "bob")
        for number in range(3)
    ]  # fmt: skip
    return knowledge


async def test_without_a_gateway_the_same_is_forgotten_as_with_one() -> None:
    gateway, here = MemoryGateway(), remembering()
    gateway.knowledge.remembered = remembering().remembered
    local = LocalAdministration(here, here)
    async with live_edge(gateway) as live, ControlClient(live.url("control"), TOKEN) as control:
        for which, count in (
            (Forgetting(source="[01].md", dry_run=True), 4),
            (Forgetting(source="[01].md", owner="ann"), 2),
            (Forgetting(run_id="run_bob_1"), 1),
            (Forgetting(owner="bob", persona="otto"), 0),
            (Forgetting(owner="bob", persona="bruno"), 2),
        ):
            assert await control.forget(which) == count
            assert await local.forget(which) == count
            assert here.remembered == gateway.knowledge.remembered
    assert [each.run_id for each in here.remembered] == ["run_ann_2"]


async def test_a_gateway_that_does_not_take_the_token_forgets_nothing() -> None:
    async with live_edge() as live, ControlClient(live.url("control"), "another") as control:
        with pytest.raises(GatewayError) as refused:
            await control.forget(Forgetting(source="*"))
    assert refused.value.code == "unauthorized"


@pytest.mark.usefixtures("own_logs")
def test_what_was_forgotten_is_counted(cli: Cli) -> None:
    assert cli("forget", "--source", "*").out == "Forgot 0 remembered interactions.\n"
    assert cli("forget", "--run", "run_1", "--dry-run").out == "0 remembered interactions would be forgotten.\n"
    assert cli("forget", "--owner", "ann", "--json").json == {"matching": 0, "dry_run": False}


@pytest.mark.parametrize("given", [[], ["--persona", "bruno"], ["--dry-run"]])
def test_forgetting_everything_takes_more_than_an_oversight(cli: Cli, home: Path, given: list[str]) -> None:
    done = cli("forget", *given)
    assert done.code == 2
    assert "--source" in done.err
    assert not (home / "data").exists()


@pytest.mark.parametrize("given", [["--source", ""], ["--run", "run_1", "--owner", " "], ["--owner", LATIN]])
def test_a_condition_that_is_no_text_is_refused(cli: Cli, home: Path, given: list[str]) -> None:
    done = cli("forget", *given)
    assert (done.code, done.err.startswith("Error: an argument is")) == (1, True)
    assert not (home / "data").exists()
