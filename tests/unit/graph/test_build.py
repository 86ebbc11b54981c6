from __future__ import annotations

import asyncio

import pytest
from tests.unit.graph.parts import Ear, House, a_run, an_intent

from agent_gateway.errors import InvalidInput
from agent_gateway.events import StageFinished, StageStarted, Token
from agent_gateway.graph.build import CompiledTurnGraph, TurnContext, summarize
from agent_gateway.interfaces import Context, Stage, TurnState
from agent_gateway.persona import STAGES
from agent_gateway.testing import passage


def steps(ear: Ear) -> list[str]:
    """The stages as they began and ended."""
    found = []
    for event in ear.events:
        if isinstance(event, StageStarted):
            found.append(f"+{event.stage}")
        elif isinstance(event, StageFinished):
            found.append(f"-{event.stage}")
    return found


async def run(house: House, **stages: Stage) -> None:
    await house.agent(**stages).run(a_run(), (), house.ear)


async def test_the_five_stages_begin_and_end_in_order() -> None:
    house = House()
    await run(house)
    assert steps(house.ear) == [f"{sign}{stage}" for stage in STAGES for sign in "+-"]
    assert all(event.ms >= 0 for event in house.ear.of(StageFinished))


async def test_each_stage_says_what_it_decided() -> None:
    house = House()
    house.knowledge.held["docs"] = (passage("The keys are in the drawer."),)
    await run(house)
    found = {event.stage: event.result for event in house.ear.of(StageFinished)}
    assert found["classify"] == {"intent": house.classifier.intent}
    assert found["retrieve"] == {
        "answerable": True,
        "passages": 1,
        "collections": ("docs",),
        "question": "Where are the keys?",
    }
    assert found["route"]["route"].tier == "extractive"
    assert found["act"] == {"citations": 1}
    assert found["remember"] == {}


async def test_what_a_stage_takes_is_told_in_milliseconds() -> None:
    async def act(state: TurnState, context: Context) -> TurnState:
        await asyncio.sleep(0.03)
        return {"response": "", "citations": ()}

    house = House()
    await run(house, act=act)
    took = {event.stage: event.ms for event in house.ear.of(StageFinished)}
    assert 30 <= took["act"] < 3_000


@pytest.mark.parametrize("name", STAGES)
async def test_a_persona_s_stage_stands_in_for_the_built_in_one(name: str) -> None:
    seen: list[TurnState] = []

    async def own(state: TurnState, context: Context) -> TurnState:
        seen.append(state)
        await context.emit(Token(text="mine"))
        given: dict[str, TurnState] = {
            "classify": {"intent": an_intent()},
            "retrieve": {"passages": (), "answerable": False},
            "route": {"route": context.route({**state, "intent": an_intent()})},
            "act": {"response": "mine"},
        }
        return given.get(name, {})

    house = House()
    await run(house, **{name: own})
    assert len(seen) == 1
    assert seen[0]["message"] == "Where are the keys?"
    assert steps(house.ear) == [f"{sign}{stage}" for stage in STAGES for sign in "+-"]
    index = house.ear.events.index(Token(text="mine"))
    assert house.ear.events[index - 1] == StageStarted(stage=name)


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("error", [ZeroDivisionError("nought"), InvalidInput("not like this")])
async def test_an_error_of_a_stage_goes_through_and_nothing_follows(name: str, error: Exception) -> None:
    async def fail(state: TurnState, context: Context) -> TurnState:
        raise error

    house = House()
    with pytest.raises(type(error)) as raised:
        await run(house, **{name: fail})
    assert raised.value is error
    assert steps(house.ear)[-1] == f"+{name}"
    assert len(steps(house.ear)) == 2 * STAGES.index(name) + 1


async def test_turns_side_by_side_keep_to_their_own_context() -> None:
    house = House()
    meet = asyncio.Barrier(8)

    async def act(state: TurnState, context: Context) -> TurnState:
        await meet.wait()
        await context.emit(Token(text=context.run_id))
        return {"response": state["message"], "citations": ()}

    agent = house.agent(act=act)
    ears = [Ear() for _ in range(8)]
    answers = await asyncio.gather(
        *(agent.run(a_run(f"message {n}", f"run-{n}"), (), ear) for n, ear in enumerate(ears))
    )
    for number, (answer, ear) in enumerate(zip(answers, ears, strict=True)):
        assert (answer.run_id, answer.response) == (f"run-{number}", f"message {number}")
        assert ear.of(Token) == [Token(text=f"run-{number}")]
        assert len(steps(ear)) == 2 * len(STAGES)


async def test_later_stages_see_what_earlier_ones_added() -> None:
    async def classify(state: TurnState, context: Context) -> TurnState:
        return {"intent": an_intent("chat"), "vector": await context.encode("something else")}

    async def act(state: TurnState, context: Context) -> TurnState:
        return {"response": f"{state['intent'].category} {sorted(state)}", "citations": ()}

    house = House()
    graph = CompiledTurnGraph({"classify": classify, "act": act})
    context = house.context()
    leg = await graph.start({"message": "hello", "history": ()}, TurnContext(context, context.perform))
    state = leg.state
    assert leg.pending is None
    assert state["response"].startswith("chat ")
    assert {"message", "history", "vector", "intent", "passages", "answerable", "route"} <= set(state)
    assert house.encoder.texts == ["something else"]


def test_a_summary_holds_no_text_of_passages_or_vectors() -> None:
    found = summarize({"vector": object(), "passages": (), "recollections": (), "response": "long"})
    assert found == {"passages": 0, "collections": (), "question": ""}
