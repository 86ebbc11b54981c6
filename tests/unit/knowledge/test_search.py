from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.knowledge.shelf import a_chunk, a_library, an_index, encode

from agent_gateway.interfaces import SearchResult
from agent_gateway.knowledge.features import CHUNK_FEATURES, QUERY_FEATURES, SENTENCE_FEATURES
from agent_gateway.knowledge.index import CollectionIndex
from agent_gateway.knowledge.ranker import LinearModel, Ranker, load_ranker
from agent_gateway.knowledge.search import ANSWERING_PASSAGES, search_collections

DOCS = a_library(
    {
        "drain.md": [
            ["Drain the node before you upgrade it.", "Cordon comes first."],
            ["Uncordon the node at the end."],
        ],
        "backup.md": [["Backups run every night."], ["A restore takes an hour."]],
    }
)
SHOP = a_library({"refund.md": [["A refund takes five days."]], "delivery.md": [["A parcel takes two days."]]})
EMPTY = an_index()


def simple(threshold: float = 0.5, bias: float = 0.0) -> Ranker:
    """Ranks by cosine alone; a collection answers as far as its best chunk covers the query; sentences by coverage."""

    def weigh(names: tuple[str, ...], bias: float = 0.0, **weights: float) -> LinearModel:
        return LinearModel(weights={**dict.fromkeys(names, 0.0), **weights}, bias=bias)

    return Ranker(
        chunk=weigh(CHUNK_FEATURES, cosine=3.0),
        query=weigh(QUERY_FEATURES, bias, coverage_of_all=4.0),
        sentence=weigh(SENTENCE_FEATURES, coverage=1.0, first_passage=10.0),
        threshold=threshold,
    )


def look(
    indexes: Mapping[str, CollectionIndex], text: str, limit: int = 20, ranker: Ranker | None = None
) -> SearchResult:
    return search_collections(indexes, ranker or simple(), text, encode(text), limit)


def test_passages_are_ranked_and_their_scores_are_probabilities() -> None:
    result = look({"docs": DOCS}, "restore a node")
    cosines = DOCS.cosines(encode("restore a node"))
    order = np.argsort(-cosines)
    assert [(each.source, each.chunk) for each in result.passages] == [
        (DOCS.chunks[row].source, DOCS.chunks[row].chunk) for row in order
    ]
    answerable = 1 / (1 + math.exp(-4 * float(DOCS.bm25({t: DOCS.idf(t) for t in ("restor", "node")})[1].max())))
    expected = [answerable * math.exp(3 * (cosines[row] - cosines.max())) for row in order]
    assert [each.score for each in result.passages] == pytest.approx(expected, abs=1e-4)
    assert result.score == pytest.approx(answerable, rel=1e-5)


def test_several_collections_are_merged_by_probability() -> None:
    result = look({"docs": DOCS, "shop": SHOP, "empty": EMPTY}, "How many days takes a refund?")
    alone = {
        name: look({name: index}, "How many days takes a refund?") for name, index in (("docs", DOCS), ("shop", SHOP))
    }
    merged = sorted((each for one in alone.values() for each in one.passages), key=lambda each: -each.score)
    assert [(each.collection, each.source, each.chunk, each.score) for each in result.passages] == [
        (each.collection, each.source, each.chunk, each.score) for each in merged
    ]
    assert result.passages[0].collection == "shop"
    assert result.score == max(one.score for one in alone.values())
    assert {each.collection for each in result.passages} == {"docs", "shop"}


@given(st.permutations(["docs", "shop", "empty"]), st.integers(1, 10))
def test_the_order_of_the_collections_does_not_matter(names: list[str], limit: int) -> None:
    indexes = {"docs": DOCS, "shop": SHOP, "empty": EMPTY}
    text = "uncordon the node at the end of a refund of five days"
    result = look({name: indexes[name] for name in names}, text, limit)
    assert result == look(indexes, text, limit)
    assert result.passages == look(indexes, text).passages[:limit]
    assert len(result.passages) == min(limit, len(DOCS) + len(SHOP))


@pytest.mark.parametrize("indexes", [{}, {"empty": EMPTY}])
def test_where_there_is_nothing_nothing_is_found(indexes: Mapping[str, CollectionIndex]) -> None:
    assert look(indexes, "node") == SearchResult(passages=(), answerable=False, score=0.0)


def test_a_collection_of_one_chunk_is_searched() -> None:
    index = an_index(a_chunk("Drain the node.", "Then wait."))
    result = look({"one": index}, "drain the node")
    (passage,) = result.passages
    assert (passage.text, passage.collection, result.answerable) == ("Drain the node. Then wait.", "one", True)


def test_the_threshold_decides_whether_there_is_an_answer() -> None:
    score = look({"docs": DOCS}, "drain the node").score
    assert look({"docs": DOCS}, "drain the node", ranker=simple(threshold=score)).answerable
    beyond = look({"docs": DOCS}, "drain the node", ranker=simple(threshold=score + 1e-6))
    assert not beyond.answerable
    # For a person to look at.
    assert len(beyond.passages) == 4


def test_sentences_are_those_of_the_chunk_and_scored_in_the_best_passages_only() -> None:
    index = an_index(*(a_chunk(f"Drain node {n}.", "And wait.", source=f"{n}.md") for n in range(8)))
    result = look({"docs": index}, "drain the node 3")
    assert [len(each.sentences) for each in result.passages] == [2] * ANSWERING_PASSAGES + [0] * 3
    for number, passage in enumerate(result.passages[:ANSWERING_PASSAGES]):
        first, second = passage.sentences
        assert passage.text[first.start : first.end].startswith("Drain node ")
        assert passage.text[second.start : second.end] == "And wait."
        assert first.score > second.score
        assert (first.score > 10) is (number == 0)


def test_a_passage_says_where_it_is_from() -> None:
    chunk = a_chunk("Drain the node.", source="ops/drain.md", chunk=4, title="Draining", headings="Nodes > Drain")
    (passage,) = look({"docs": an_index(chunk)}, "node").passages
    assert (passage.source, passage.title, passage.chunk, passage.text) == (
        "ops/drain.md",
        "Draining",
        4,
        "Drain the node.",
    )


def test_the_packaged_models_find_what_answers_and_see_when_nothing_does() -> None:
    indexes, ranker = {"docs": DOCS, "shop": SHOP}, load_ranker()
    good = look(indexes, "drain the node before you upgrade", ranker=ranker)
    bad = look(indexes, "recipe for sourdough bread", ranker=ranker)
    assert (good.passages[0].source, good.passages[0].collection) == ("drain.md", "docs")
    assert (good.answerable, bad.answerable) == (True, False)
    assert all(0 <= each.score <= 1 for each in (*good.passages, *bad.passages))
    best = max(good.passages[0].sentences, key=lambda sentence: sentence.score)
    assert good.passages[0].text[best.start : best.end] == "Drain the node before you upgrade it."
