from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.graph.parts import House, a_run, an_intent

from agent_gateway.events import StageFinished, Token
from agent_gateway.interfaces import Context, Generation, GenerationRequest, SearchQuery, TurnState
from agent_gateway.messages import Citation, Exchange, Recollection, Route, Tier
from agent_gateway.testing import ScriptedModel, StaticClassifier, passage

NAMES = ("docs", "customer-docs", "secret-docs", "empty")


@given(
    visible=st.lists(st.sampled_from(NAMES), unique=True),
    wanted=st.lists(st.sampled_from([*NAMES, "absent"])),
    limit=st.integers(1, 50),
    passages=st.integers(1, 10),
)
async def test_a_search_never_leaves_what_the_persona_may_see(
    visible: list[str], wanted: list[str], limit: int, passages: int
) -> None:
    house = House(visible=tuple(visible), passages=passages)
    for name in NAMES[:3]:
        house.knowledge.held[name] = tuple(passage(f"The keys of {name}, part {n}.") for n in range(15))
    query = SearchQuery(text="keys", collections=tuple(wanted), limit=limit)
    result = await house.context().search(query)
    (asked,) = house.knowledge.queries
    assert set(asked.collections) == set(visible) & set(wanted)
    assert asked.limit == min(limit, passages)
    assert {each.collection for each in result.passages} <= set(visible)
    assert len(result.passages) <= min(limit, passages)


async def test_visibility_is_asked_anew_with_every_search() -> None:
    house = House(visible=())
    house.knowledge.held["docs"] = (passage("The keys are in the drawer."),)
    context = house.context()
    query = SearchQuery(text="keys", collections=("docs",))
    assert (await context.search(query)).passages == ()
    house.visible = ("docs",)
    assert len((await context.search(query)).passages) == 1


async def test_only_the_owner_s_questions_to_this_persona_are_recalled() -> None:
    house = House()
    await house.context().recall(np.zeros(384, np.float32))
    assert house.knowledge.recalled == (("nora", "local"),)


async def test_an_answer_tells_what_the_turn_found() -> None:
    house = House()
    house.knowledge.held["docs"] = (passage("The keys are in the drawer.", source="house.md", title="House", chunk=3),)
    asked = Recollection(question="keys?", run_id="run-0", asked_at="2026-01-01", sources=("house.md",), score=0.9)
    house.knowledge.recollections = (asked,)
    answer = await house.agent().run(a_run("Where are the keys?"), (), house.ear)
    assert answer.response == "The keys are in the drawer. [1]"
    assert answer.citations == (Citation(n=1, source="house.md", title="House", chunk=3, score=1.0),)
    assert (answer.status, answer.model, answer.context_used) == ("completed", "extractive", 1)
    assert (answer.run_id, answer.conversation_id) == ("run-1", "conversation-1")
    assert answer.intent == house.classifier.intent
    assert answer.route is not None
    assert answer.route.parts["passages"] == 0.5
    assert answer.asked_before == (asked,)
    assert answer.latency_ms > 0


@pytest.mark.parametrize(
    ("tier", "kind"), [("small", "slm"), ("medium", "slm"), ("large", "llm"), ("extractive", "extractive")]
)
async def test_the_routed_tier_s_model_answers(tier: Tier, kind: str) -> None:
    async def route(state: TurnState, context: Context) -> TurnState:
        return {"route": Route(tier=tier, model="m", score=0.0, parts={}, reason="so")}

    house = House()
    house.models = {each: ScriptedModel([f"I am {each}."]) for each in ("small", "medium", "large", "extractive")}
    answer = await house.agent(route=route).run(a_run(), (), house.ear)
    assert (answer.response, answer.model) == (f"I am {tier}.", kind)


async def test_a_tier_without_a_model_is_the_floor_s_and_the_answer_says_so() -> None:
    async def route(state: TurnState, context: Context) -> TurnState:
        return {"route": Route(tier="large", model="m", score=0.0, parts={}, reason="so")}

    house = House()
    answer = await house.agent(route=route).run(a_run(), (), house.ear)
    assert answer.model == "extractive"
    assert answer.notices == ("None is configured, so this answer is made of sentences from the documents.",)


async def test_the_model_is_given_the_whole_turn() -> None:
    house = House()
    model = ScriptedModel(["Fine."])
    house.models = {"extractive": model}
    house.knowledge.held["docs"] = (passage("The keys are in the drawer."),)
    history = (Exchange(message="Where are the keys of the house?", response="In the drawer."),)
    await house.agent().run(a_run("and why?"), history, house.ear)
    (request,) = model.requests
    assert isinstance(request, GenerationRequest)
    assert (request.persona.id, request.abilities) == ("nora", ("look things up",))
    assert (request.message, request.question) == ("and why?", "Where are the keys of the house?\nand why?")
    assert (request.history, request.collections, request.answerable) == (history, ("docs",), True)
    assert [each.text for each in request.passages] == ["The keys are in the drawer."]


async def test_the_interaction_is_remembered_with_its_question_s_vector() -> None:
    house = House(classifier=StaticClassifier("query"))
    house.knowledge.held["docs"] = (
        passage("The keys are in the drawer.", source="b.md"),
        passage("The keys are heavy.", source="b.md", chunk=1),
        passage("The keys hang at the door.", source="a.md"),
    )
    answer = await house.agent().run(a_run("Where are the keys?"), (), house.ear)
    (kept,) = house.remembered
    assert (kept.run_id, kept.conversation_id, kept.persona, kept.owner) == (
        "run-1",
        "conversation-1",
        "nora",
        "local",
    )
    assert (kept.query, kept.response, kept.category) == ("Where are the keys?", answer.response, "query")
    assert kept.sources == tuple(dict.fromkeys(each.source for each in answer.citations))
    assert sorted(kept.sources) == ["a.md", "b.md"]
    vector = np.frombuffer(kept.vector, dtype="<f2").astype(np.float32)
    assert np.allclose(vector, await house.encoder.encode("Where are the keys?"), atol=1e-3)
    at = datetime.fromisoformat(kept.at)
    assert at.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)


async def test_a_message_is_encoded_once() -> None:
    house = House()
    await house.agent().run(a_run("Where are the keys?"), (), house.ear)
    assert house.encoder.texts == ["Where are the keys?"]


async def test_a_persona_without_intent_or_vector_is_remembered_all_the_same() -> None:
    async def classify(state: TurnState, context: Context) -> TurnState:
        return {"intent": an_intent("own")}

    house = House()
    await house.agent(classify=classify).run(a_run("Where are the keys?"), (), house.ear)
    (kept,) = house.remembered
    assert (kept.category, kept.vector) == ("own", b"")


async def test_the_pieces_of_the_stream_are_the_response() -> None:
    house = House()
    citation = Citation(n=1, source="a.md", title="A", chunk=0, score=0.5)
    house.models = {"extractive": ScriptedModel(["One ", Generation(citation=citation), "", "two [1]", Generation()])}
    answer = await house.agent().run(a_run(), (), house.ear)
    assert answer.response == "One two [1]"
    assert house.ear.of(Token) == [Token(text="One "), Token(text="two [1]")]
    assert house.ear.of(Citation) == [citation] == list(answer.citations)


async def test_a_model_that_breaks_off_ends_the_turn() -> None:
    house = House()
    house.models = {"extractive": ScriptedModel(["One ", OSError("gone")])}
    with pytest.raises(OSError, match="gone"):
        await house.agent().run(a_run(), (), house.ear)
    assert house.ear.of(Token) == [Token(text="One ")]
    assert [event.stage for event in house.ear.of(StageFinished)] == ["classify", "retrieve", "route"]
    assert house.remembered == []
