from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from tests.unit.graph.parts import FAR, House, a_run, an_intent

from agent_gateway.completion import ModelSpec
from agent_gateway.config.models import BreakerSettings, FallbackSettings
from agent_gateway.graph import model_classifier
from agent_gateway.graph.context import AgentContext, TurnScope
from agent_gateway.graph.model_classifier import combine, describe_categories, read_intent
from agent_gateway.intent import Intent
from agent_gateway.interfaces import ModelUse, Vector
from agent_gateway.messages import Tier
from agent_gateway.models.completions import TieredCompletions
from agent_gateway.models.connections import Connections
from agent_gateway.models.direct_chat_model import DirectChatModel
from agent_gateway.testing import ScriptedModelServer
from agent_gateway.testing.model_replies import Fault, Reply

MEANINGS = describe_categories(("query", "chat"), ("look things up", "talk"))
VERDICT = {"category": "chat", "complexity": "medium", "reasoning_depth": 1, "accuracy_requirement": 2}
#: Enough for any answer that comes at all, and too little for one that does not.
PATIENCE, HASTE = 10.0, 0.6


class Book:
    """A ledger in memory."""

    def __init__(self) -> None:
        self.uses: list[ModelUse] = []

    def record(self, use: ModelUse) -> None:
        self.uses.append(use)

    def spent(self, persona: str) -> float:
        del persona
        return 0.0


@dataclass
class Doubting:
    """A context whose head is unsure, and a server behind the tiers that are there."""

    server: ScriptedModelServer
    confidence: float = 0.4
    tiers: tuple[Tier, ...] = ("small",)
    seconds: float = PATIENCE
    deadline: float = FAR
    house: House = field(default_factory=House)
    book: Book = field(default_factory=Book)

    async def classify(self, text: str = "what about lunch") -> Intent:
        """The intent of a message."""
        self.house.classifier.intent = an_intent("query", confidence=self.confidence)
        connections = Connections(DirectChatModel, BreakerSettings(), asyncio.get_running_loop().time)
        completions = TieredCompletions(connections, FallbackSettings(), self.book)
        spec = ModelSpec(model="openai/llama3:8b", address=self.server.openai_url, direct=True)
        completions.adopt(dict.fromkeys(self.tiers, (spec,)))
        agent = self.house.agent()
        faculties = replace(agent.faculties, completions=completions, classify_seconds=self.seconds)
        scope = TurnScope(a_run(text), self.house.ear, self.deadline)
        context = AgentContext(agent.persona, agent.abilities, agent.intents, faculties, scope)
        vector: Vector = await context.encode(text)
        try:
            return await context.classify(text, vector)
        finally:
            await connections.close()


def said(**changes: Any) -> Reply:
    """An answer of the model."""
    return Reply(json.dumps({**VERDICT, **changes}))


def serve(*replies: Reply) -> ScriptedModelServer:
    return ScriptedModelServer(replies=replies)


async def test_the_model_s_intent_is_taken_when_the_head_is_unsure() -> None:
    async with serve(said()) as server:
        doubting = Doubting(server)
        with capture_logs() as logs:
            intent = await doubting.classify()
    assert intent == an_intent(
        "chat",
        complexity="medium",
        reasoning_depth=1,
        accuracy_requirement=2,
        confidence=model_classifier.DISAGREEMENT,
    )
    (line,) = [each for each in logs if each["event"] == "classified_by_model"]
    assert (line["head"], line["category"], line["run_id"]) == ("query", "chat", "run-1")
    (use,) = doubting.book.uses
    assert (use.stage, use.tier, use.outcome, use.persona) == ("classify", "small", "ok", "nora")


async def test_the_model_is_asked_shortly_and_for_one_of_the_persona_s_categories() -> None:
    async with serve(said()) as server:
        await Doubting(server).classify("what about lunch")
    (call,) = server.requests
    assert (call.body["temperature"], call.body["max_tokens"]) == (0.1, 80)
    schema = call.body["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["category"]["enum"] == ["query", "chat"]
    assert set(schema["required"]) == set(VERDICT)
    system, user = call.messages
    assert "- query: a fact, a document" in system["content"]
    assert "lunch" not in system["content"]
    assert "what about lunch" in user["content"]


async def test_agreement_raises_the_confidence_and_keeps_the_head_s_scales() -> None:
    async with serve(said(category="query", reasoning_depth=3)) as server:
        intent = await Doubting(server).classify()
    assert (intent.category, intent.reasoning_depth) == ("query", 0)
    assert 0.4 <= intent.confidence <= model_classifier.AGREEMENT_MOST


@pytest.mark.parametrize("confidence", [0.6, 0.99])
async def test_a_head_that_is_sure_is_believed(confidence: float) -> None:
    async with serve(said()) as server:
        assert (await Doubting(server, confidence=confidence).classify()).category == "query"
    assert server.requests == []


@pytest.mark.parametrize("tiers", [(), ("medium",), ("medium", "large")])
async def test_only_the_small_tier_is_asked(tiers: tuple[Tier, ...]) -> None:
    async with serve(said()) as server:
        intent = await Doubting(server, tiers=tiers).classify()
    assert (intent.category, intent.confidence, server.requests) == ("query", 0.4, [])


async def test_no_other_tier_is_asked_when_the_small_one_fails() -> None:
    async with serve(Reply(fault=Fault.SERVER_ERROR)) as server:
        intent = await Doubting(server, tiers=("small", "medium", "large")).classify()
    assert intent.category == "query"
    assert len(server.requests) == 1


async def test_a_server_that_takes_no_schema_is_asked_in_words() -> None:
    def reply(call: Any) -> Reply:
        return Reply(fault=Fault.NO_SCHEMA) if call.has_schema else said()

    async with ScriptedModelServer(replies=reply) as server:
        assert (await Doubting(server).classify()).category == "chat"
    assert not server.requests[-1].has_schema
    assert '"category"' in server.requests[-1].messages[0]["content"]


BROKEN = (
    "lunch at noon",
    "",
    "{",
    "[1, 2]",
    '{"category": "chat"}',
    json.dumps({**VERDICT, "category": "lunch"}),
    json.dumps({**VERDICT, "reasoning_depth": 9}),
    json.dumps({**VERDICT, "complexity": "none"}),
)


@pytest.mark.parametrize("text", BROKEN)
async def test_an_answer_that_cannot_be_used_is_asked_for_once_more(text: str) -> None:
    async with serve(Reply(text), said()) as server:
        assert (await Doubting(server).classify()).category == "chat"
    first, second = server.requests
    assert second.messages[: len(first.messages)] == first.messages
    assert "cannot be used" in second.messages[-1]["content"]


async def test_after_two_answers_that_cannot_be_used_the_head_is_believed() -> None:
    async with serve(Reply("lunch")) as server:
        intent = await Doubting(server).classify()
    assert (intent.category, intent.confidence, len(server.requests)) == ("query", 0.4, 2)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(fault=Fault.NO_FIRST_BYTE),
        Reply(json.dumps(VERDICT), delay=30.0),
        Reply(json.dumps(VERDICT), pause=5.0),
        Reply("no " * 3, pause=0.15),
    ],
    ids=["silent", "late", "slow", "wrong and slow"],
)
async def test_the_head_is_believed_when_the_time_is_over(reply: Reply) -> None:
    async with serve(reply) as server:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        intent = await Doubting(server, seconds=HASTE).classify()
        took = loop.time() - begun
    assert (intent.category, intent.confidence) == ("query", 0.4)
    assert took < HASTE + 0.4


async def test_the_turn_s_own_deadline_comes_first() -> None:
    async with serve(Reply(json.dumps(VERDICT), delay=30.0)) as server:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        intent = await Doubting(server, deadline=begun + 1.0).classify()
        took = loop.time() - begun
    assert intent.category == "query"
    assert took < 1.0


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.MALFORMED_JSON, Fault.SERVER_ERROR, Fault.WRONG_CONTENT_TYPE])
async def test_whatever_the_server_does_there_is_an_intent(fault: Fault) -> None:
    async with serve(Reply(json.dumps(VERDICT), fault=fault)) as server:
        assert (await Doubting(server).classify()).category == "query"


async def test_a_server_that_is_away_costs_nothing() -> None:
    async with serve(said()) as server:
        pass
    assert (await Doubting(server).classify()).category == "query"


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")) | st.just("{" + "[" * 100_000 + "}"))
def test_any_text_is_an_intent_or_a_value_error(text: str) -> None:
    intent = None
    with suppress(ValueError):
        intent = read_intent(text, MEANINGS)
    assert intent is None or intent.category in MEANINGS


@pytest.mark.parametrize("around", ["{}", "```json\n{}\n```", "Sure! {} I hope that helps."])
def test_an_intent_is_found_among_words(around: str) -> None:
    intent = read_intent(around.replace("{}", json.dumps(VERDICT)), MEANINGS)
    assert (intent.category, intent.reasoning_depth, intent.confidence) == ("chat", 1, 0.0)


@given(st.floats(0, 0.999), st.booleans())
def test_the_confidence_is_never_above_what_was_measured(confidence: float, same: bool) -> None:
    head, model = an_intent("query", confidence=confidence), an_intent("query" if same else "chat", confidence=0.0)
    found = combine(head, model)
    assert found.category == model.category
    if same:
        assert confidence <= found.confidence <= max(confidence, model_classifier.AGREEMENT_MOST)
    else:
        assert found.confidence == model_classifier.DISAGREEMENT


@pytest.mark.parametrize(
    ("names", "summaries", "told"),
    [
        (("query",), ("look things up",), model_classifier.MEANINGS["query"]),
        (("pay_bills",), ("pay what is due",), "pay what is due"),
        (("pay_bills",), (), "pay bills"),
    ],
)
def test_a_category_is_described_by_what_is_known_of_it(
    names: Sequence[str], summaries: Sequence[str], told: str
) -> None:
    assert describe_categories(names, summaries) == {names[0]: told}
