from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.graph.parts import House, WatchedKnowledge, an_intent

from agent_gateway.errors import StorageFailed
from agent_gateway.graph.retrieve import MOST_PASSAGES, retrieve
from agent_gateway.intent import Intent
from agent_gateway.interfaces import SearchQuery, SearchResult, TurnState, Vector
from agent_gateway.messages import Exchange, Recollection
from agent_gateway.testing import passage

BEFORE = (Exchange(message="How do I drain the node of studio?", response="Cordon it."),)


async def found(
    house: House, message: str, history: tuple[Exchange, ...] = (), intent: Intent | None = None
) -> TurnState:
    vector = await house.encoder.encode(message)
    house.encoder.texts.clear()
    state: TurnState = {"message": message, "history": history, "vector": vector, "intent": intent or an_intent()}
    return await retrieve(state, house.context())


@pytest.fixture
def house() -> House:
    house = House(passages=4)
    house.knowledge.held["docs"] = (
        passage("Drain the node of studio by hand.", source="drain.md"),
        passage("Certificates are renewed by cert-manager.", source="certificates.md"),
    )
    return house


async def test_a_first_message_is_searched_for_as_it_is(house: House) -> None:
    update = await found(house, "Who renewed the certificates?")
    (query,) = house.knowledge.queries
    assert (query.text, query.collections) == ("Who renewed the certificates?", ("docs",))
    assert query.vector is not None
    assert house.encoder.texts == []
    assert update["question"] == "Who renewed the certificates?"
    assert update["answerable"]
    assert [each.source for each in update["passages"]] == ["certificates.md"]


async def test_what_does_not_answer_is_not_kept(house: House) -> None:
    update = await found(house, "Which node bakes bread for breakfast guests tomorrow?")
    assert (update["passages"], update["answerable"]) == ((), False)
    assert update["collections"] == ("docs",)


async def test_a_message_that_continues_is_searched_for_with_its_topic(house: House) -> None:
    update = await found(house, "and by hand?", BEFORE)
    assert update["question"] == "How do I drain the node of studio?\nand by hand?"
    (query,) = house.knowledge.queries
    assert query.text == update["question"]
    assert query.vector is not None
    assert query.vector.tolist() == (await house.encoder.encode(update["question"])).tolist()
    assert update["passages"][0].source == "drain.md"


@pytest.mark.parametrize("message", ["Who renewed all certificates?", "What is the capital city of France today?"])
async def test_a_message_that_stands_alone_is_not_dragged_to_the_old_topic(house: House, message: str) -> None:
    update = await found(house, message, BEFORE)
    assert [query.text for query in house.knowledge.queries] == [message]
    assert update["question"] == message
    assert "drain.md" not in {each.source for each in update["passages"]}


@pytest.mark.parametrize(
    ("message", "history", "confidence", "searched"),
    [
        ("hello", (), 0.3, False),
        ("tell me more", (), 0.99, False),
        ("thanks!", BEFORE, 0.99, False),
        ("who are you?", BEFORE, 0.95, False),
        ("tell me more", BEFORE, 0.99, True),
        ("thanks! who approves it?", BEFORE, 0.95, True),
        ("thanks!", BEFORE, 0.6, True),
    ],
)
async def test_talk_is_not_looked_up(
    house: House, message: str, history: tuple[Exchange, ...], confidence: float, searched: bool
) -> None:
    house.knowledge.recollections = (Recollection(question="q", run_id="r", asked_at="", sources=("a",), score=1.0),)
    update = await found(house, message, history, an_intent("chat", confidence=confidence))
    assert bool(house.knowledge.queries) is searched
    if not searched:
        assert update == {
            "question": message,
            "collections": ("docs",),
            "passages": (),
            "answerable": False,
            "evidence": 0.0,
            "recollections": (),
        }


async def test_the_intent_chooses_the_collections(house: House) -> None:
    house.for_intent = ("incident-history", "docs")
    await found(house, "Who renewed the certificates?")
    # The context leaves out what the persona may not see.
    assert house.knowledge.queries[0].collections == ("docs",)


async def test_the_settings_limit_how_many_passages_a_turn_keeps(house: House) -> None:
    house.knowledge.held["docs"] = tuple(passage("Drain the node.", source=f"{n}.md") for n in range(30))
    assert len((await found(house, "drain the node"))["passages"]) == 4
    house.passages = 100
    assert len((await found(house, "drain the node"))["passages"]) == MOST_PASSAGES


async def test_what_was_asked_before_is_there_whether_or_not_there_is_an_answer(house: House) -> None:
    asked = Recollection(question="q", run_id="r", asked_at="2026-01-01", sources=("a.md",), score=0.9)
    house.knowledge.recollections = (asked,)
    update = await found(house, "Which node bakes bread for breakfast guests tomorrow?")
    assert (update["recollections"], update["answerable"], update["passages"]) == ((asked,), False, ())


class SlowKnowledge(WatchedKnowledge):
    """Searches and recalls only when both were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.both = asyncio.Barrier(2)

    async def search(self, query: SearchQuery) -> SearchResult:
        await self.both.wait()
        return await super().search(query)

    async def recall(self, vector: Vector, persona: str, owner: str) -> tuple[Recollection, ...]:
        await self.both.wait()
        return await super().recall(vector, persona, owner)


async def test_searching_and_recalling_go_side_by_side() -> None:
    async with asyncio.timeout(5):
        await found(House(knowledge=SlowKnowledge()), "Who renewed the certificates?")


@pytest.mark.parametrize("method", ["search", "recall"])
async def test_an_error_of_the_knowledge_base_is_the_stage_s(house: House, method: str) -> None:
    async def fail(*given: Any) -> None:
        raise StorageFailed("the disk is gone")

    setattr(house.knowledge, method, fail)
    with pytest.raises(StorageFailed):
        await found(house, "Who renewed the certificates?")
