from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.unit.knowledge.shelf import random_vectors

from agent_gateway.interfaces import Interaction
from agent_gateway.knowledge import memories as module
from agent_gateway.knowledge.memories import CAPACITY, MOST, SIMILAR, Memories

DIMENSIONS = 16
QUERY = np.eye(DIMENSIONS, dtype=np.float32)[0]


def close(cosine: float) -> NDArray[np.float32]:
    """A unit vector this close to the query."""
    vector = np.zeros(DIMENSIONS, dtype=np.float32)
    vector[0], vector[1] = cosine, (1 - cosine**2) ** 0.5
    return vector


def asked(
    run_id: str, *, persona: str = "nora", owner: str = "local", sources: tuple[str, ...] = ("a.md",), query: str = ""
) -> Interaction:
    return Interaction(
        run_id=run_id,
        conversation_id="c",
        persona=persona,
        owner=owner,
        query=query or f"question of {run_id}",
        response="An answer.",
        category="query",
        sources=sources,
        at="2026-01-01T00:00:00Z",
    )


def remembering(**cosines: float) -> Memories:
    """Memories of runs that are this close to the query."""
    memories = Memories(DIMENSIONS)
    memories.add([asked(name) for name in cosines], [close(cosine) for cosine in cosines.values()])
    return memories


def runs(memories: Memories, persona: str = "nora", owner: str = "local") -> list[str]:
    return [each.run_id for each in memories.recall(QUERY, persona, owner)]


def test_nothing_is_remembered_at_first() -> None:
    assert remembering().recall(QUERY, "nora", "local") == ()
    assert len(remembering()) == 0


def test_the_closest_questions_come_first_and_unlike_ones_not_at_all() -> None:
    memories = remembering(a=0.85, b=0.99, c=SIMILAR - 0.01, d=0.9, e=-1.0)
    assert runs(memories) == ["b", "d", "a"]
    best = memories.recall(QUERY, "nora", "local")[0]
    assert (best.question, best.asked_at, best.sources) == ("question of b", "2026-01-01T00:00:00Z", ("a.md",))
    assert best.score == pytest.approx(0.99, abs=1e-3)


def test_no_more_than_a_few_are_recalled() -> None:
    assert len(runs(remembering(**{f"r{n}": 0.9 for n in range(10)}))) == MOST


def test_nobody_is_reminded_of_what_others_asked() -> None:
    memories = Memories(DIMENSIONS)
    scopes = [(persona, owner) for persona in ("nora", "otto") for owner in ("local", "ann")]
    for persona, owner in scopes:
        named = [asked(f"{persona}-{owner}-{n}", persona=persona, owner=owner) for n in range(5)]
        memories.add(named, [close(0.95)] * 5)
    for persona, owner in scopes:
        found = runs(memories, persona, owner)
        assert len(found) == MOST
        assert all(run.startswith(f"{persona}-{owner}-") for run in found)
    assert runs(memories, "nora", "eve") == []


def test_an_answer_without_sources_has_nothing_to_point_at() -> None:
    memories = Memories(DIMENSIONS)
    memories.add([asked("a", sources=()), asked("b")], [close(1), close(1)])
    assert (runs(memories), len(memories)) == (["b"], 1)


def test_a_run_that_was_repeated_is_remembered_once_as_it_was_last() -> None:
    memories = remembering(a=0.9, b=0.95)
    memories.add([asked("a", query="asked again")], [close(0.99)])
    assert runs(memories) == ["a", "b"]
    assert memories.recall(QUERY, "nora", "local")[0].question == "asked again"
    assert len(memories) == 2
    memories.add([asked("a", sources=())], [close(0.99)])
    assert runs(memories) == ["b"]


def test_what_was_forgotten_stays_forgotten_and_may_come_back() -> None:
    memories = remembering(a=0.9, b=0.95)
    memories.forget(["a", "absent", "a"])
    assert (runs(memories), len(memories)) == (["b"], 1)
    memories.forget(["b"])
    assert (runs(memories), len(memories)) == ([], 0)
    memories.add([asked("a")], [close(1)])
    assert runs(memories) == ["a"]


def test_the_oldest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CAPACITY", 4)
    memories = remembering(a=0.99, b=0.98, c=0.97, d=0.96)
    memories.add([asked("e")], [close(0.81)])
    assert len(memories) == 4
    assert runs(memories) == ["b", "c", "d"]
    memories.forget(["b", "c"])
    assert runs(memories) == ["d", "e"]
    memories.add([asked("f"), asked("g")], [close(0.9), close(0.9)])
    assert set(runs(memories)) == {"d", "f", "g"}
    memories.forget(["a"])
    assert len(memories) == 4


def test_thousands_fit_and_memory_is_bounded() -> None:
    memories = Memories(DIMENSIONS)
    count = CAPACITY + 500
    memories.add([asked(f"r{n}") for n in range(count)], list(random_vectors(1, count)))
    assert len(memories) == CAPACITY
    assert memories._vectors.shape == (CAPACITY, DIMENSIONS)
    last = random_vectors(1, count)[-1]
    assert memories.recall(last, "nora", "local")[0].run_id == f"r{count - 1}"
    first = random_vectors(1, count)[0]
    assert "r0" not in {each.run_id for each in memories.recall(first, "nora", "local")}


actions = st.lists(
    st.tuples(st.sampled_from(["add", "add", "forget"]), st.integers(0, 12), st.sampled_from([0.5, 0.85, 0.9, 0.95])),
    max_size=40,
)


@given(actions)
def test_memories_behave_like_a_plain_ring(steps: list[tuple[str, int, float]]) -> None:
    capacity = 6
    slots: list[tuple[str, float] | None] = []
    oldest = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CAPACITY", capacity)
        memories = Memories(DIMENSIONS)
        for action, number, cosine in steps:
            name = f"run-{number}"
            held = [slot[0] if slot else None for slot in slots]
            if action == "forget":
                memories.forget([name])
                slots = [None if slot and slot[0] == name else slot for slot in slots]
                continue
            memories.add([asked(name)], [close(cosine)])
            if name in held:
                slots[held.index(name)] = (name, cosine)
            elif len(slots) < capacity:
                slots.append((name, cosine))
            else:
                slots[oldest] = (name, cosine)
                oldest = (oldest + 1) % capacity
        alive = [slot for slot in slots if slot]
        assert len(memories) == len(alive)
        found = memories.recall(QUERY, "nora", "local")
        similar = sorted((cosine for _, cosine in alive if cosine >= SIMILAR), reverse=True)
        assert [each.score for each in found] == pytest.approx(similar[:MOST], abs=1e-3)
        assert all(each.score == pytest.approx(dict(alive)[each.run_id], abs=1e-3) for each in found)
