from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.unit.knowledge.shelf import a_chunk, a_library, an_index, encode, random_vectors

from agent_gateway.knowledge.features import (
    CANDIDATES,
    CHUNK_FEATURES,
    LIST_LENGTH,
    QUERY_CHARACTERS,
    QUERY_FEATURES,
    RRF_K,
    SENTENCE_FEATURES,
    Candidates,
    describe_query,
    describe_sentences,
    find_candidates,
)
from agent_gateway.knowledge.index import CollectionIndex
from agent_gateway.knowledge.lexicon import terms

PAGES = {
    "drain.md": [["Drain the node before you upgrade it.", "Cordon comes first."], ["Uncordon the node at the end."]],
    "certificate.md": [["Certificates are renewed by cert-manager.", "A renewal takes a minute."]],
    "backup.md": [["Backups run every night."], ["A restore takes an hour."], ["Ask before you restore a node."]],
}


def look(index: CollectionIndex, text: str) -> Candidates:
    return find_candidates(index, text, encode(text))


def column(candidates: Candidates, name: str) -> NDArray[Any]:
    return candidates.features[:, CHUNK_FEATURES.index(name)]


def fused_reference(rankings: Sequence[Sequence[int]], count: int) -> dict[int, float]:
    """Reciprocal rank fusion as in its paper, scaled to 1 for a chunk that is first in both."""
    scores = dict.fromkeys(range(count), 0.0)
    for ranking in rankings:
        for rank, row in enumerate(ranking[:LIST_LENGTH]):
            scores[row] += RRF_K / 2 / (RRF_K + rank)
    return scores


@given(st.integers(0, 10_000), st.integers(1, 120))
def test_candidates_are_the_best_of_both_rankings_fused(seed: int, count: int) -> None:
    source = np.random.default_rng(seed)
    words = [f"word{n}" for n in range(12)]
    chunks = [
        a_chunk(" ".join(source.choice(words, size=source.integers(1, 9))), source=f"{n // 2}.md", chunk=n % 2)
        for n in range(count)
    ]
    index = CollectionIndex(chunks, random_vectors(seed, count), [np.zeros((1, 16), np.int8)] * count)
    (query,) = random_vectors(seed + 1, 1)
    text = " ".join(source.choice(words, size=3))
    found = find_candidates(index, text, query)

    cosines = index.cosines(query)
    bm25, _ = index.bm25(dict(found.weights))
    by_vector = sorted((row for row in range(count) if cosines[row] > 0), key=lambda row: -cosines[row])
    by_words = sorted((row for row in range(count) if bm25[row] > 0), key=lambda row: -bm25[row])
    expected = fused_reference((by_vector, by_words), count)
    fused = column(found, "fused_rank")
    assert len(found.rows) == len(set(found.rows.tolist())) == min(CANDIDATES, count)
    assert (np.diff(fused) <= 1e-6).all()
    if len({float(bm25[row]) for row in by_words}) == len(by_words):
        for row, score in zip(found.rows.tolist(), fused.tolist(), strict=True):
            assert score == pytest.approx(expected[row], rel=1e-5)
        assert float(fused[-1]) >= sorted(expected.values(), reverse=True)[len(found.rows) - 1] - 1e-6


def test_a_chunk_that_is_first_in_both_rankings_has_rank_one() -> None:
    index = a_library(PAGES)
    found = look(index, "renewal of certificates")
    assert index.chunks[found.rows[0]].source == "certificate.md"
    assert column(found, "fused_rank")[0] == pytest.approx(1.0)


def test_features_say_how_chunks_relate_to_the_query() -> None:
    index = a_library(PAGES)
    found = look(index, "restore a node")
    rows = {(index.chunks[row].source, index.chunks[row].chunk): n for n, row in enumerate(found.rows.tolist())}
    assert len(rows) == 6
    best = rows["backup.md", 2]
    assert column(found, "coverage")[best] == pytest.approx(1.0)
    assert column(found, "coverage")[rows["certificate.md", 0]] == 0
    # Every chunk of the document knows that the document covers the query.
    for chunk in range(3):
        assert column(found, "document_coverage")[rows["backup.md", chunk]] == pytest.approx(1.0)
    assert column(found, "document_coverage")[rows["drain.md", 1]] < 1
    assert column(found, "document_length")[best] == pytest.approx(np.log1p(3))
    cosines = index.cosines(encode("restore a node"))
    assert column(found, "cosine").tolist() == pytest.approx(cosines[found.rows].tolist())
    assert column(found, "cosine").max() == pytest.approx(found.cosine)
    own = sorted(cosines[3:6].tolist())
    assert column(found, "second_in_document")[best] == pytest.approx(own[1])
    assert column(found, "second_in_document")[rows["certificate.md", 0]] == pytest.approx(0.8 * cosines[2])
    assert found.known == pytest.approx(1.0)
    assert look(index, "restore a zeppelin").known < 1


def test_bm25_is_a_share_of_the_most_there_can_be() -> None:
    some, most = look(a_library(PAGES), "certificates"), look(an_index(a_chunk("node " * 500)), "node")
    assert 0 < column(some, "bm25").max() < column(most, "bm25").max() <= 1
    assert column(most, "bm25").max() > 0.99
    assert column(some, "bm25").min() == 0


def test_headings_that_say_what_was_asked_are_noticed() -> None:
    index = an_index(
        a_chunk("Do it so.", source="a.md", title="Certificate renewal"),
        a_chunk("A certificate renewal is this.", source="b.md", title="Words"),
    )
    found = look(index, "certificate renewal")
    heading = dict(zip(found.rows.tolist(), column(found, "heading_coverage").tolist(), strict=True))
    assert heading == {0: pytest.approx(1.0), 1: 0.0}


@pytest.mark.parametrize("text", ["", "the of and", "zeppelin", "?!", "\ud800", "日本語", "x" * 10_000])
def test_a_query_that_says_nothing_has_finite_features(text: str) -> None:
    index = a_library(PAGES)
    found = look(index, text)
    assert np.isfinite(found.features).all()
    assert np.isfinite(describe_query(found, np.zeros(len(found.rows), np.float32))).all()
    assert found.known == found.coverage == 0


def test_a_collection_of_one_chunk_is_searched() -> None:
    index = an_index(a_chunk("Drain the node."))
    found = look(index, "drain the node")
    assert found.rows.tolist() == [0]
    assert found.features.shape == (1, len(CHUNK_FEATURES))
    assert describe_query(found, np.zeros(1, np.float32)).shape == (len(QUERY_FEATURES),)


def test_a_chunk_without_sentences_is_no_obstacle() -> None:
    index = an_index(a_chunk(), a_chunk("Drain the node.", source="b.md"))
    found = look(index, "drain the node")
    assert np.isfinite(found.features).all()
    row = found.rows.tolist().index(0)
    assert column(found, "best_sentence")[row] == -1
    assert describe_sentences(index, 0, encode("node"), found.weights, (0.0, True)).shape == (0, len(SENTENCE_FEATURES))


def test_the_query_s_features_are_those_of_the_best_chunk() -> None:
    found = look(a_library(PAGES), "restore a node")
    scores = np.arange(len(found.rows), dtype=np.float32)
    described = dict(zip(QUERY_FEATURES, describe_query(found, scores).tolist(), strict=True))
    assert described["score"] == scores[-1]
    for name in ("cosine", "best_sentence", "coverage", "document_coverage", "second_in_document"):
        assert described[name] == pytest.approx(float(column(found, name)[-1]))
    assert described["coverage_of_all"] == pytest.approx(found.coverage)
    assert described["cosine_of_all"] == pytest.approx(found.cosine)
    assert described["coverage_of_three"] == pytest.approx(float(column(found, "coverage")[-3:].mean()))
    assert described["known_terms"] == pytest.approx(found.known)
    assert described["terms"] == pytest.approx(np.log1p(2))


def test_sentences_are_described_by_what_they_are() -> None:
    code, row = "```sh\nkubectl drain\n```", "| node | 3 |"
    text = f"Drain the node.\n\n- Cordon 2 nodes.\n{code}\n{row}"
    starts = [text.index(each) for each in ("Drain the", "Cordon", code, row)]
    ends = [starts[0] + 15, starts[1] + 15, starts[2] + len(code), starts[3] + len(row)]
    spans = tuple(zip(starts, ends, strict=True))
    chunk = a_chunk("x")
    chunk = type(chunk)(chunk.source, chunk.title, chunk.headings, 0, text, spans)
    index = an_index(chunk)
    weights = {term: index.idf(term) for term in terms("drain the node")}
    found = describe_sentences(index, 0, encode("drain the node"), weights, (-0.5, False))
    names = {name: found[:, number].tolist() for number, name in enumerate(SENTENCE_FEATURES)}
    assert names["code"] == [0, 0, 1, 0]
    assert names["table_row"] == [0, 0, 0, 1]
    assert names["list_item"][:2] == [0, 1]
    assert names["figure"] == [0, 1, 0, 1]
    assert names["passage"] == [-0.5] * 4
    assert names["first_passage"] == [0] * 4
    assert names["coverage"][0] == pytest.approx(1.0)
    assert 0 < names["coverage"][1] < 1
    assert names["length"] == pytest.approx([np.log(end - start) for start, end in spans])
    # The best neighbour of the second sentence is the first or the third.
    assert names["neighbour"][1] == pytest.approx(max(names["cosine"][0], names["cosine"][2]))
    assert names["neighbour"][0] == pytest.approx(names["cosine"][1])


def test_a_huge_query_is_read_up_to_a_limit() -> None:
    index = a_library(PAGES)
    huge = "node " * (QUERY_CHARACTERS // 5) + "restore " * 100_000
    assert set(look(index, huge).weights) == set(terms("node"))
    many = " ".join(f"word{n}" for n in range(200_000))
    assert len(look(index, many).weights) < QUERY_CHARACTERS
