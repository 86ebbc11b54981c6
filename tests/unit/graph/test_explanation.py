from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest
from structlog.testing import capture_logs
from tests.unit.graph.parts import House, an_intent

from agent_gateway.config import RouteSettings
from agent_gateway.errors import GatewayError
from agent_gateway.graph.explanation import RouteExplainer
from agent_gateway.graph.policies import make_policies
from agent_gateway.interfaces import Context, Passage, RouteExplanation, Stage, TurnState
from agent_gateway.messages import Route
from agent_gateway.testing import passage

KEYS = passage("The keys are in the drawer.")
QUESTION = "Where are the keys?"


def explainer(house: House, stages: Mapping[str, Stage] | None = None, seconds: float = 60.0) -> RouteExplainer:
    agent = house.agent(**(stages or {}))
    agent.faculties = replace(agent.faculties, deadline_seconds=seconds)
    return RouteExplainer({"nora": agent}, make_policies(RouteSettings())[1])


async def explain(house: House, **stages: Stage) -> RouteExplanation:
    return await explainer(house, stages).explain("nora", QUESTION)


def a_house(*passages: Passage) -> House:
    house = House()
    house.knowledge.held["docs"] = passages
    return house


async def test_a_decision_is_explained_with_what_it_was_made_of() -> None:
    house = a_house(KEYS)
    found = await explain(house)
    assert (found.persona, found.message, found.intent) == ("nora", QUESTION, house.classifier.intent)
    assert (found.collections, found.passages) == (("docs",), 1)
    assert 0 < found.evidence <= 1
    assert found.choice is not None
    assert (found.policy, found.choice.tier) == ("documented", "small")
    assert found.route.tier == "extractive"
    assert "no model is configured" in found.route.reason
    assert found.other is not None
    assert (found.other_policy, found.other.reason.split()[0]) == ("calibrated", "difficulty")
    assert found.standings == {}


async def test_the_route_is_the_one_a_turn_takes() -> None:
    house = a_house(KEYS)
    house.classifier.intent = an_intent(reasoning_depth=2, accuracy_requirement=2)
    found = await explain(house)
    state: TurnState = {"message": QUESTION, "intent": found.intent, "passages": (KEYS,), "evidence": found.evidence}
    assert found.route == house.context().route(state)


async def test_nothing_is_said_remembered_or_logged_as_a_shadow() -> None:
    house = a_house(KEYS)
    with capture_logs() as logs:
        await explain(house)
    assert (house.ear.events, house.remembered, logs) == ([], [], [])


async def test_a_persona_s_own_stages_are_looked_at() -> None:
    async def classify(state: TurnState, context: Context) -> TurnState:
        return {"intent": an_intent("chat"), "vector": await context.encode(state["message"])}

    async def route(state: TurnState, context: Context) -> TurnState:
        return {"route": Route(tier="extractive", model="extractive", score=0.0, parts={}, reason="by lot")}

    found = await explain(a_house(KEYS), classify=classify)
    assert (found.intent.category, found.passages) == ("chat", 0)
    found = await explain(a_house(KEYS), route=route)
    assert (found.route.reason, found.choice, found.other) == ("by lot", None, None)


async def test_what_takes_too_long_is_an_error() -> None:
    async def retrieve(state: TurnState, context: Context) -> TurnState:
        await asyncio.sleep(30)
        return state

    with pytest.raises(GatewayError) as raised:
        await explainer(House(), {"retrieve": retrieve}, seconds=0.05).explain("nora", QUESTION)
    assert raised.value.code == "turn_timeout"


async def test_decisions_side_by_side_do_not_mix() -> None:
    asked = explainer(a_house(KEYS))
    messages = [f"Where are the keys? {'please ' * number}" for number in range(6)]
    found = await asyncio.gather(*(asked.explain("nora", message) for message in messages))
    for message, explanation in zip(messages, found, strict=True):
        assert explanation.message == message
        assert explanation.route.parts["words"] == pytest.approx(0.1 * len(message.split()))
