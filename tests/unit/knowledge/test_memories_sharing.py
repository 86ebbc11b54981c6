from __future__ import annotations

import msgspec
import pytest
from tests.unit.knowledge.shelf import encode
from tests.unit.knowledge.test_library import MARK, WordsEncoder, asked
from tests.unit.knowledge.test_memories import DIMENSIONS, QUERY, close
from tests.unit.knowledge.test_memories import asked as asked_close

from agent_gateway.knowledge.ingest import Ingester
from agent_gateway.knowledge.lancedb_store import Store
from agent_gateway.knowledge.library import Library
from agent_gateway.knowledge.memories import MOST, Memories
from agent_gateway.knowledge.ranker import load_ranker
from agent_gateway.testing import HashingEncoder

QUESTION = "How long does a restore take?"


def test_shared_memories_are_those_of_every_owner_of_the_same_persona() -> None:
    memories = Memories(DIMENSIONS)
    scopes = [(persona, owner) for persona in ("nora", "otto") for owner in ("local", "ann")]
    for persona, owner in scopes:
        memories.add([asked_close(f"{persona}-{owner}", persona=persona, owner=owner)], [close(0.95)])
    shared = memories.recall(QUERY, "nora", "local", shared=True)
    assert {each.question for each in shared} == {"question of nora-local", "question of nora-ann"}
    assert [each.question for each in memories.recall(QUERY, "nora", "local")] == ["question of nora-local"]
    assert len(memories.recall(QUERY, "nora", "eve", shared=True)) == 2


def test_the_closest_come_first_whoever_asked() -> None:
    memories = Memories(DIMENSIONS)
    for number, cosine in enumerate((0.85, 0.99, 0.9, 0.95)):
        memories.add([asked_close(f"r{number}", owner=f"owner-{number}")], [close(cosine)])
    found = memories.recall(QUERY, "nora", "owner-0", shared=True)
    assert [each.question for each in found] == ["question of r1", "question of r3", "question of r2"]
    assert len(found) == MOST


@pytest.mark.parametrize("shared", [True, False])
async def test_of_another_owner_the_question_and_sources_are_named_and_nothing_else(store: Store, shared: bool) -> None:
    ingester = Ingester(store, WordsEncoder(), MARK)
    library = Library(store, ingester, HashingEncoder(), ranker=load_ranker(), share_memories=shared)
    await library.absorb([asked("r1", QUESTION, owner="ann"), asked("r2", QUESTION)], ())
    found = {each.run_id: each for each in await library.recall(encode(QUESTION), "nora", "local")}
    assert set(found) == ({"", "r2"} if shared else {"r2"})
    for each in found.values():
        assert (each.question, each.sources) == (QUESTION, ("backup.md",))
        written = msgspec.json.encode(each)
        assert b"An hour." not in written
        assert b"ann" not in written
