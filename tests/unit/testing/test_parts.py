from __future__ import annotations

import numpy as np
import pytest

from agent_gateway.errors import GatewayError
from agent_gateway.intent import Intent
from agent_gateway.interfaces import Generation, GenerationRequest, SearchQuery, Sentence
from agent_gateway.messages import Citation
from agent_gateway.persona import Persona
from agent_gateway.testing import HashingEncoder, ScriptedModel, StaticClassifier, StaticKnowledge, passage

TEXT = "The workshop opens at nine on weekdays. Lunch is at noon."
KNOWLEDGE = {"house": [passage(TEXT, source="hours.md"), passage("Nobody sleeps.")], "other": [passage("workshop")]}


def request() -> GenerationRequest:
    """What a model is asked."""
    intent = Intent(category="query", complexity="low", reasoning_depth=0, accuracy_requirement=1, confidence=1.0)
    return GenerationRequest(
        persona=Persona(id="x", title="X", prompt="x"), abilities=(), question="q", message="q", intent=intent,
        passages=(), answerable=False, collections=(), history=(),
    )  # fmt: skip


async def search(text: str, *collections: str, limit: int = 5) -> list[str]:
    """Search the knowledge and return the sources and scores."""
    found = await StaticKnowledge(KNOWLEDGE).search(SearchQuery(text=text, collections=collections, limit=limit))
    return [f"{each.collection}/{each.source} {each.score}" for each in found.passages]


async def test_vectors_are_unit_vectors_and_the_same_everywhere() -> None:
    encoder = HashingEncoder()
    first, again, empty = [
        await encoder.encode(text) for text in ("renew the certificate", "renew the certificate", "")
    ]
    assert first.dtype == np.float32
    assert first.shape == empty.shape == (384,)
    assert np.array_equal(first, again)
    assert [round(float(vector @ vector), 5) for vector in (first, empty)] == [1.0, 1.0]
    assert sorted(np.flatnonzero(first)) == [114, 212]


async def test_texts_that_share_words_are_close() -> None:
    encoder = HashingEncoder()
    query, near, far = [
        await encoder.encode(text)
        for text in ("renewing a certificate", "The certificate is renewed by cert-manager.", "Lunch is at noon.")
    ]
    assert query @ near > 0.5 > abs(query @ far)


def test_a_static_classifier_says_the_same_of_everything() -> None:
    classifier = StaticClassifier("deploy", reasoning_depth=2)
    intents = [classifier.predict(text, None, ()) for text in ("hello", "roll it back")]
    assert [(each.category, each.reasoning_depth) for each in intents] == [("deploy", 2), ("deploy", 2)]


def test_a_static_classifier_stays_within_what_is_allowed() -> None:
    assert StaticClassifier("deploy").predict("x", None, ("query", "chat")).category == "query"
    assert StaticClassifier("chat").predict("x", None, ("query", "chat")).category == "chat"


async def test_a_scripted_model_says_its_pieces_and_keeps_the_request() -> None:
    citation = Citation(n=1, source="a.md", title="A", chunk=0, score=1.0)
    model = ScriptedModel(["One. ", Generation(citation=citation), "Two."])
    for _ in range(2):
        pieces = [piece async for piece in model.generate(request())]
        assert pieces == [Generation("One. "), Generation(citation=citation), Generation("Two.")]
    assert model.requests == [request(), request()]


async def test_a_scripted_model_can_fail_where_it_is_told_to() -> None:
    pieces = ScriptedModel(["One.", GatewayError("gone"), "never"]).generate(request())
    assert await anext(pieces) == Generation("One.")
    with pytest.raises(GatewayError, match="gone"):
        await anext(pieces)


async def test_static_knowledge_scores_the_share_of_the_querys_words() -> None:
    assert await search("When does the workshop open?", "house") == ["house/hours.md 1.0"]
    assert await search("workshop museum", "house", "other") == ["house/hours.md 0.5", "other/test.md 0.5"]
    assert await search("workshop", "house", "other", limit=1) == ["house/hours.md 1.0"]
    assert await search("workshop", "missing") == []
    assert await search("the of", "house") == []


@pytest.mark.parametrize(
    ("text", "answerable"),
    [("workshop nine", True), ("workshop tax", True), ("workshop tax rates", False)],
)
async def test_half_of_the_words_answer(text: str, answerable: bool) -> None:
    found = await StaticKnowledge(KNOWLEDGE).search(SearchQuery(text=text, collections=("house",)))
    assert found.answerable is answerable
    assert len(found.passages) == 1


async def test_passages_come_with_sentences_that_stand_in_them() -> None:
    own = passage("abc def.").__class__(
        text="abc def.", source="s", title="t", chunk=0, score=0, collection="", sentences=(Sentence(0, 3, 9.0),)
    )
    knowledge = StaticKnowledge({"house": [passage(TEXT), own]})
    cut = (await knowledge.search(SearchQuery(text="lunch", collections=("house",)))).passages[0]
    kept = (await knowledge.search(SearchQuery(text="abc", collections=("house",)))).passages[0]
    best = max(cut.sentences, key=lambda each: each.score)
    assert cut.text[best.start : best.end] == "Lunch is at noon."
    assert kept.sentences == (Sentence(0, 3, 9.0),)
    assert [query.text for query in knowledge.queries] == ["lunch", "abc"]


async def test_static_knowledge_lists_its_collections() -> None:
    knowledge = StaticKnowledge(KNOWLEDGE)
    infos = await knowledge.collections()
    assert knowledge.names() == ("house", "other")
    assert [(info.name, info.documents, info.chunks) for info in infos] == [("house", 2, 2), ("other", 1, 1)]
    assert await knowledge.recall(np.zeros(384, np.float32), "x", "local") == ()
