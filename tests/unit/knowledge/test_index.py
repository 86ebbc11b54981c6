from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.knowledge.shelf import a_chunk, a_library, an_index, encode, random_vectors

from agent_gateway.knowledge.index import HEADING_WEIGHT, K1, B, CollectionIndex
from agent_gateway.knowledge.lexicon import terms

WORDS = ("node", "drain", "certificate", "backup", "forge", "spec.timeout", "alert")
texts = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
collections = st.lists(st.tuples(texts, texts), min_size=1, max_size=8)


class Reference:
    """BM25 as in the books, over (heading, text); a term of a heading counts twice but is one word long."""

    def __init__(self, chunks: list[tuple[str, str]]) -> None:
        self.counts = []
        self.lengths = []
        for heading, text in chunks:
            head, body = Counter(terms(heading)), Counter(terms(text))
            self.counts.append({term: body[term] + HEADING_WEIGHT * head[term] for term in {*head, *body}})
            self.lengths.append(head.total() + body.total())

    def idf(self, term: str) -> float:
        found = sum(term in counts for counts in self.counts)
        return math.log(1 + (len(self.counts) - found + 0.5) / (found + 0.5))

    def score(self, query: list[str], number: int) -> float:
        mean = max(sum(self.lengths) / len(self.lengths), 1.0)
        score = 0.0
        for term in query:
            count = self.counts[number].get(term, 0.0)
            norm = K1 * (1 - B + B * self.lengths[number] / mean)
            score += self.idf(term) * count * (K1 + 1) / (count + norm)
        return score

    def coverage(self, query: list[str], number: int) -> float:
        total = sum(self.idf(term) for term in query)
        return sum(self.idf(term) for term in query if term in self.counts[number]) / total if total else 0.0


def built(chunks: list[tuple[str, str]]) -> CollectionIndex:
    return an_index(
        *(a_chunk(text, source=f"{n}.md", title=heading or "?") for n, (heading, text) in enumerate(chunks))
    )


@given(collections, st.lists(st.sampled_from([*WORDS, "absent"]), min_size=1, max_size=4, unique=True))
def test_bm25_is_that_of_a_plain_implementation(chunks: list[tuple[str, str]], asked: list[str]) -> None:
    index, reference = built(chunks), Reference(chunks)
    query = list(dict.fromkeys(terms(" ".join(asked))))
    weights = {term: index.idf(term) for term in query}
    assert weights == pytest.approx({term: reference.idf(term) for term in query})
    scores, coverage = index.bm25(weights)
    assert scores.tolist() == pytest.approx([reference.score(query, n) for n in range(len(chunks))], rel=1e-4)
    assert coverage.tolist() == pytest.approx([reference.coverage(query, n) for n in range(len(chunks))], rel=1e-4)
    known = {term for counts in reference.counts for term in counts}
    assert {term for term in query if index.knows(term)} == known & set(query)


def test_rarer_terms_weigh_more_and_unknown_ones_most() -> None:
    index = built([("", "node drain"), ("", "node"), ("", "node alert alert")])
    assert 0 < index.idf("node") < index.idf("drain") == index.idf("alert") < index.idf("absent")


def test_a_query_without_terms_scores_nothing() -> None:
    scores, coverage = built([("", "node drain")]).bm25({})
    assert (scores.tolist(), coverage.tolist()) == ([0.0], [0.0])


@given(st.integers(0, 2**32), st.integers(1, 60))
def test_the_vector_ranking_is_that_of_flat_search(seed: int, count: int) -> None:
    vectors = random_vectors(seed, count)
    (query,) = random_vectors(seed + 1, 1)
    chunks = [a_chunk(f"Chunk {n}.", source=f"{n // 3}.md", chunk=n % 3) for n in range(count)]
    index = CollectionIndex(chunks, vectors, [np.zeros((1, 16), np.int8)] * count)
    cosines = index.cosines(query)
    exact = vectors.astype(np.float64) @ query.astype(np.float64)
    assert cosines.dtype == np.float32
    assert np.allclose(cosines, exact, atol=1e-5)
    order = np.argsort(-cosines)
    # The same ranking, but for chunks that are equally close to the last digit.
    assert (np.diff(exact[order]) <= 1e-6).all()


def test_the_chunks_of_a_document_stand_together() -> None:
    index = a_library({"a.md": [["One."], ["Two."], ["Three."]], "b.md": [["Four."]], "c.md": [["Five."], ["Six."]]})
    assert len(index) == 6
    assert index.documents.tolist() == [0, 0, 0, 1, 2, 2]
    assert index.document_sizes.tolist() == [3, 1, 2]
    for document, source in enumerate(("a.md", "b.md", "c.md")):
        rows = range(len(index))[index.rows_of(document)]
        assert {index.chunks[row].source for row in rows} == {source}
        assert len(rows) == index.document_sizes[document]
    values = np.array([1, 3, 2, -5, 0, 7], dtype=np.float32)
    assert index.document_maximum(values).tolist() == [3, -5, 7]


def test_a_document_s_centroid_is_the_unit_mean_of_its_chunks() -> None:
    index = a_library({"a.md": [["Drain the node."], ["Renew the certificate."]], "b.md": [["Look at the alert."]]})
    mean = encode("Drain the node.") + encode("Renew the certificate.")
    assert np.allclose(index.centroids[0], mean / np.linalg.norm(mean), atol=1e-6)
    assert np.allclose(index.centroids[1], encode("Look at the alert."), atol=1e-6)


def test_opposite_chunks_have_a_centroid_without_direction() -> None:
    vectors = np.stack([encode("node"), -encode("node")])
    chunks = [a_chunk("node", chunk=0), a_chunk("node", chunk=1)]
    index = CollectionIndex(chunks, vectors, [np.zeros((1, 384), np.int8)] * 2)
    assert np.isfinite(index.centroids).all()
    assert float(np.linalg.norm(index.centroids[0])) <= 1


def test_sentences_are_compared_at_the_precision_they_are_stored_with() -> None:
    index = an_index(a_chunk("Drain the node.", "Renew the certificate.", "Look at the alert."))
    cosines = index.sentence_cosines(0, encode("renew certificate"))
    assert int(cosines.argmax()) == 1
    exact = [
        float(encode(each) @ encode("renew certificate")) for each in ("Drain the node.", "Renew the certificate.")
    ]
    assert cosines[:2].tolist() == pytest.approx(exact, abs=0.02)


def test_title_and_headings_count_as_words_of_the_chunk() -> None:
    index = an_index(
        a_chunk("It is done by hand.", source="a.md", title="Certificate renewal", headings="Runbook > By hand"),
        a_chunk("The certificate is there.", source="b.md", title="Inventory"),
    )
    scores, coverage = index.bm25({term: index.idf(term) for term in terms("certificate runbook")})
    assert scores[0] > scores[1] > 0
    assert coverage[0] == 1
    assert index.heading_terms[0] == set(terms("Certificate renewal Runbook By hand"))


def test_an_empty_index_is_one() -> None:
    index = an_index()
    assert len(index) == 0
    assert not index.knows("node")
    assert index.idf("node") > 0
    assert index.cosines(encode("node")).shape == (0,)
    assert index.bm25({"node": 1.0})[0].shape == (0,)
