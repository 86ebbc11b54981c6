"""Stages that plugins bring: they replace the built-in ones, and what goes wrong in them harms one turn."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import pytest
from pydantic import BaseModel
from structlog.testing import capture_logs
from tests.turn_house import data_of, persona_http

import agent_gateway as ag
from agent_gateway.messages import Problem, Run
from agent_gateway.testing import StaticKnowledge, gateway_for, passage

KNOWLEDGE = StaticKnowledge({"docs": [passage("The keys are in the drawer.", source="keys.md")]})
NORA = ag.Persona(id="nora", port=1, title="Librarian", prompt="Help.", collections=("docs",))
QUESTION = "Where are the keys?"


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged; nothing is drawn."""
    with capture_logs() as entries:
        yield entries


def broken(stage: str, error: Exception) -> ag.Persona:
    async def fail(state: ag.TurnState, context: ag.Context) -> ag.TurnState:
        await context.emit(ag.Token(text="Just a mo"))
        raise error

    return ag.Persona(id="boris", port=2, title="Broken", prompt="Fail.", collections=("docs",), stages={stage: fail})


@pytest.mark.parametrize("stage", ["classify", "retrieve", "route", "act", "remember"])
async def test_a_stage_that_raises_ends_its_run_alone_with_one_error(
    stage: str, logs: list[MutableMapping[str, Any]]
) -> None:
    boris = broken(stage, ZeroDivisionError("the secret of boris"))
    async with gateway_for(NORA, boris, knowledge=KNOWLEDGE) as gateway:
        fine, events = await asyncio.gather(gateway.ask("nora", QUESTION), gateway.stream("boris", QUESTION))
        async with persona_http(gateway, "boris") as http:
            run_id = data_of(events, "run_started")[0]["run_id"]
            kept = (await http.get(f"/v1/runs/{run_id}")).json()
            replayed = await http.get(f"/v1/runs/{run_id}/events")
        again = await gateway.ask("nora", QUESTION)
        answer = await gateway.ask("boris", QUESTION)
    assert [event.type for event in events if event.terminal] == ["error"]
    assert events[-1].terminal
    (problem,) = data_of(events, "error")
    assert problem["code"] == "internal_error"
    assert "secret" not in b"".join(event.data for event in events).decode()
    assert "secret" not in replayed.text
    assert kept["status"] == "failed"
    crashed = [each for each in logs if each["event"] == "run_crashed"]
    assert [str(each["exc_info"]) for each in crashed] == ["the secret of boris"] * 2
    assert crashed[0]["run_id"] == run_id
    assert [each["stage"] for each in data_of(events, "stage_started")][-1] == stage
    assert stage not in [each["stage"] for each in data_of(events, "stage_finished")]
    assert fine.response == again.response == "The keys are in the drawer. [1]"
    assert (answer.status, answer.error and answer.error.code) == ("failed", "internal_error")


async def test_an_error_that_a_stage_means_is_told_as_it_is() -> None:
    boris = broken("act", ag.InvalidInput("the moon is full", code="full_moon", hint="try again in a week"))
    async with gateway_for(boris) as gateway:
        answer = await gateway.ask("boris", QUESTION)
    assert answer.status == "failed"
    assert answer.error is not None
    assert (answer.error.code, answer.error.detail, answer.error.hint) == (
        "full_moon",
        "the moon is full",
        "try again in a week",
    )


async def test_a_failed_turn_is_no_part_of_the_conversation() -> None:
    seen: list[int] = []

    async def act(state: ag.TurnState, context: ag.Context) -> ag.TurnState:
        seen.append(len(state["history"]))
        if state["message"] == "fail":
            raise ag.InvalidInput("no")
        return {"response": "yes", "citations": ()}

    nora = ag.Persona(id="nora", port=1, title="N", prompt="P", stages={"act": act})
    async with gateway_for(nora) as gateway:
        first = await gateway.ask("nora", "one")
        for message in ("fail", "two"):
            await gateway.ask("nora", message, first.conversation_id)
    assert seen == [0, 1, 1]


async def test_a_stage_that_needs_nothing_from_the_others_may_give_them_little() -> None:
    async def classify(state: ag.TurnState, context: ag.Context) -> ag.TurnState:
        return {"intent": ag.Intent(category="query", complexity="low", reasoning_depth=0, accuracy_requirement=1,
                                    confidence=1.0)}  # fmt: skip

    async def retrieve(state: ag.TurnState, context: ag.Context) -> ag.TurnState:
        return {"passages": (), "answerable": False}

    async def remember(state: ag.TurnState, context: ag.Context) -> ag.TurnState:
        return {}

    own = {"classify": classify, "remember": remember}
    one = ag.Persona(id="one", port=1, title="One", prompt="P", collections=("docs",), stages=own)
    two = ag.Persona(id="two", port=2, title="Two", prompt="P", stages={**own, "retrieve": retrieve})
    async with gateway_for(one, two, knowledge=KNOWLEDGE) as gateway:
        found, nothing = await gateway.ask("one", QUESTION), await gateway.ask("two", QUESTION)
    assert found.response == "The keys are in the drawer. [1]"
    assert nothing.response == "I have no documents to answer from."


async def test_a_stage_cannot_end_a_run_or_begin_another() -> None:
    async def act(state: ag.TurnState, context: ag.Context) -> ag.TurnState:
        await context.emit(Problem(code="over", detail="It is over."))
        return {"response": "never", "citations": ()}

    nora = ag.Persona(id="nora", port=1, title="N", prompt="P", stages={"act": act})
    async with gateway_for(nora) as gateway:
        events = await gateway.stream("nora", "hello")
    (problem,) = data_of(events, "error")
    assert problem["code"] == "invalid_event"
    assert [event.type for event in events if event.terminal] == ["error"]


class Watcher:
    """A plugin that watches runs end, and starts and stops."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.ended: list[Run] = []
        self.told = asyncio.Event()

    @ag.hookimpl
    def on_startup(self, settings: Mapping[str, BaseModel]) -> None:
        self.seen.append(f"started with {len(settings)}")

    @ag.hookimpl
    def on_run_finished(self, run: Run) -> None:
        self.ended.append(run)
        self.told.set()
        raise RuntimeError("a watcher may fail")

    @ag.hookimpl
    def on_shutdown(self) -> None:
        self.seen.append("stopped")


async def test_plugins_are_told_of_the_end_of_each_run_and_of_the_gateway() -> None:
    watcher = Watcher()
    boris = broken("act", ag.InvalidInput("no"))
    async with gateway_for(NORA, boris, plugins=[watcher], knowledge=KNOWLEDGE) as gateway:
        for persona, status in (("nora", "completed"), ("boris", "failed")):
            watcher.told.clear()
            await gateway.ask(persona, QUESTION)
            async with asyncio.timeout(5):
                await watcher.told.wait()
            assert (watcher.ended[-1].persona, watcher.ended[-1].status) == (persona, status)
    assert len(watcher.ended) == 2
    assert watcher.seen == ["started with 0", "stopped"]


class Refusing:
    """A plugin whose start fails; its persona cannot be served."""

    @ag.hookimpl
    def register_personas(self) -> list[ag.Persona]:
        return [ag.Persona(id="rita", port=9, title="Rita", prompt="P")]

    @ag.hookimpl
    def on_startup(self) -> None:
        raise RuntimeError("no licence")


async def test_a_plugin_that_cannot_start_takes_down_its_persona_alone() -> None:
    async with gateway_for(NORA, plugins=[Refusing()], knowledge=KNOWLEDGE) as gateway:
        answer = await gateway.ask("nora", QUESTION)
        with pytest.raises(ag.GatewayError):
            await gateway.ask("rita", QUESTION)
        ready = gateway.house.gateway.readiness.parts()
    assert answer.status == "completed"
    assert any(part.startswith("persona rita") and "no licence" in state for part, state in ready.items())
