"""What the ranker looks at: how a query relates to the candidate chunks of one collection.

Every feature means the same whatever the collection's size, so that scores of several collections can be compared.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from agent_gateway.knowledge.index import K1, CollectionIndex
from agent_gateway.knowledge.lexicon import terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int64]

#: Candidates: the best of reciprocal rank fusion over both rankings, each cut at LIST_LENGTH.
CANDIDATES = 30
LIST_LENGTH = 50
RRF_K = 60
#: The words of a query are read up to here; its vector covers less.
QUERY_CHARACTERS = 4000
#: Sentences whose terms are kept: the pages that are asked for are mostly the same ones.
SENTENCES_KEPT = 2048

CHUNK_FEATURES = (
    "cosine",
    "best_sentence",
    "bm25",
    "coverage",
    "heading_coverage",
    "document_cosine",
    "document_coverage",
    "second_in_document",
    "fused_rank",
    "document_length",
    "opening",
)
QUERY_FEATURES = (
    "score",
    "cosine",
    "best_sentence",
    "bm25",
    "coverage",
    "heading_coverage",
    "document_cosine",
    "document_coverage",
    "second_in_document",
    "best_sentence_of_all",
    "cosine_of_all",
    "bm25_of_all",
    "coverage_of_all",
    "document_coverage_of_all",
    "best_sentences_of_three",
    "coverage_of_three",
    "known_terms",
    "terms",
)
SENTENCE_FEATURES = (
    "cosine",
    "coverage",
    "passage",
    "first_passage",
    "length",
    "code",
    "table_row",
    "neighbour",
    "list_item",
    "figure",
    "lead",
)
_MOST_BM25 = K1 + 1
_FIGURE = re.compile(r"\d")


@dataclass(frozen=True)
class Candidates:
    """The candidate chunks of one collection: `rows` into the index, `features` of shape (rows, CHUNK_FEATURES)."""

    rows: Ints
    features: Floats
    #: Query terms -> idf.
    weights: Mapping[str, float]
    #: Share of the query's terms, by idf, that occur in the collection at all.
    known: float
    coverage: float
    cosine: float


def find_candidates(index: CollectionIndex, text: str, vector: Floats) -> Candidates:
    """Fuse the vector and the full-text ranking, and describe the best chunks; the index is not empty."""
    weights = {term: index.idf(term) for term in dict.fromkeys(terms(text[:QUERY_CHARACTERS]))}
    total = sum(weights.values()) or 1.0
    cosines = index.cosines(vector)
    bm25, coverage = index.bm25(weights)
    rows, fused = _fuse(cosines, bm25)
    documents = index.documents[rows]
    of_document = index.document_maximum(coverage)
    sentences = np.array([index.sentence_cosines(row, vector).max(initial=-1.0) for row in rows], dtype=np.float32)
    shares = [sum(idf for term, idf in weights.items() if term in index.heading_terms[row]) for row in rows]
    heading = np.array(shares, dtype=np.float32) / np.float32(total)
    features = np.column_stack(
        (
            cosines[rows],
            sentences,
            bm25[rows] / (total * _MOST_BM25),
            coverage[rows],
            heading,
            index.centroids[documents] @ vector,
            of_document[documents],
            _second_best(index, documents, cosines),
            fused,
            np.log1p(index.document_sizes[documents]),
            np.where(index.opening[rows], heading**2, 0),
        )
    ).astype(np.float32)
    known = sum(idf for term, idf in weights.items() if index.knows(term)) / total
    return Candidates(rows, features, weights, known, float(coverage.max()), float(cosines.max()))


def describe_query(candidates: Candidates, scores: Floats) -> Floats:
    """The features from which it is decided whether the collection answers the query, shape (QUERY_FEATURES,)."""
    order = np.argsort(-scores)
    features = candidates.features
    top, three = features[order[0]], features[order[:3]]
    column = {name: number for number, name in enumerate(CHUNK_FEATURES)}
    same = [top[column[name]] for name in QUERY_FEATURES[1:9]]
    return np.array(
        [
            scores[order[0]],
            *same,
            features[:, column["best_sentence"]].max(),
            candidates.cosine,
            features[:, column["bm25"]].max(),
            candidates.coverage,
            features[:, column["document_coverage"]].max(),
            three[:, column["best_sentence"]].mean(),
            three[:, column["coverage"]].mean(),
            candidates.known,
            np.log1p(len(candidates.weights)),
        ],
        dtype=np.float32,
    )


def describe_sentences(
    index: CollectionIndex, row: int, vector: Floats, weights: Mapping[str, float], passage: tuple[float, bool]
) -> Floats:
    """Features of the sentences of a chunk, shape (sentences, SENTENCE_FEATURES).

    `passage` is the chunk's score below the best chunk's, and whether it is the best.
    """
    chunk = index.chunks[row]
    cosines = index.sentence_cosines(row, vector)
    total = sum(weights.values()) or 1.0
    # Whoever asks for a page by its title wants to know how it begins.
    titled = sum(idf for term, idf in weights.items() if term in index.heading_terms[row]) / total
    described = []
    for number, (start, end) in enumerate(chunk.spans):
        text = chunk.text[start:end]
        found = _terms_of(text)
        covered = sum(idf for term, idf in weights.items() if term in found) / total
        neighbours: Sequence[float] = (*cosines[max(0, number - 1) : number], *cosines[number + 1 : number + 2])
        described.append(
            (
                cosines[number],
                covered,
                passage[0],
                passage[1],
                math.log(len(text)),
                text.startswith(("```", "~~~")),
                text.startswith("|"),
                max(neighbours, default=0.0),
                chunk.text[max(0, start - 2) : start].strip() != "",
                _FIGURE.search(text) is not None,
                titled**2 / (1 + number) if chunk.chunk == 0 else 0.0,
            )
        )
    return np.array(described, dtype=np.float32).reshape(-1, len(SENTENCE_FEATURES))


@lru_cache(maxsize=SENTENCES_KEPT)
def _terms_of(sentence: str) -> frozenset[str]:
    return frozenset(terms(sentence))


def _fuse(cosines: Floats, bm25: Floats) -> tuple[Ints, Floats]:
    """Reciprocal rank fusion; the fused score is scaled to about 1 for a chunk that is first in both rankings."""
    fused = np.zeros(len(cosines), dtype=np.float32)
    for scores in (cosines, bm25):
        length = min(LIST_LENGTH, len(scores))
        rows = np.argpartition(-scores, length - 1)[:length]
        rows = rows[np.argsort(-scores[rows], kind="stable")]
        rows = rows[scores[rows] > 0]
        fused[rows] += np.float32(RRF_K / 2) / (RRF_K + np.arange(len(rows), dtype=np.float32))
    length = min(CANDIDATES, len(fused))
    best = np.argpartition(-fused, length - 1)[:length]
    best = best[np.argsort(-fused[best], kind="stable")]
    return best.astype(np.int64), fused[best]


def _second_best(index: CollectionIndex, documents: NDArray[np.int32], cosines: Floats) -> Floats:
    """The second-highest cosine within each candidate's document; four fifths of the only one if there is just one."""
    second: dict[int, float] = {}
    for document in set(documents.tolist()):
        own = cosines[index.rows_of(document)]
        second[document] = float(np.partition(own, -2)[-2]) if len(own) > 1 else 0.8 * float(own[0])
    return np.array([second[document] for document in documents.tolist()], dtype=np.float32)
