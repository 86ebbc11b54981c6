"""Search over collections in memory: candidates, ranking, whether there is an answer, and its sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agent_gateway.interfaces import Passage, SearchResult, Sentence
from agent_gateway.knowledge.features import Candidates, describe_query, describe_sentences, find_candidates
from agent_gateway.knowledge.index import CollectionIndex
from agent_gateway.knowledge.ranker import Ranker

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

#: Sentences are scored in this many of the best passages: an answer cites no more.
ANSWERING_PASSAGES = 5


@dataclass(frozen=True)
class _Hit:
    collection: str
    index: CollectionIndex
    candidates: Candidates
    row: int
    #: Log odds against the best chunk of the same collection, and the probability shown to the user.
    relative: float
    probability: float


def search_collections(
    indexes: Mapping[str, CollectionIndex], ranker: Ranker, text: str, vector: Floats, limit: int
) -> SearchResult:
    """The best passages of the collections (name -> index), best first, at most `limit`."""
    hits = [hit for name, index in indexes.items() if len(index) for hit in _rank(name, index, ranker, (text, vector))]
    hits.sort(key=lambda hit: -hit.probability)
    best = hits[0].probability if hits else 0.0
    passages = tuple(
        _passage(hit, ranker, vector, first=number == 0, with_sentences=number < ANSWERING_PASSAGES)
        for number, hit in enumerate(hits[:limit])
    )
    return SearchResult(passages=passages, answerable=best >= ranker.threshold, score=best)


def _rank(name: str, index: CollectionIndex, ranker: Ranker, query: tuple[str, Floats]) -> list[_Hit]:
    candidates = find_candidates(index, *query)
    scores = ranker.rank(candidates.features)
    answerable = ranker.answerable(describe_query(candidates, scores))
    relative = scores - scores.max()
    return [
        _Hit(name, index, candidates, int(row), float(below), answerable * float(np.exp(below)))
        for row, below in zip(candidates.rows, relative, strict=True)
    ]


def _passage(hit: _Hit, ranker: Ranker, vector: Floats, *, first: bool, with_sentences: bool) -> Passage:
    chunk = hit.index.chunks[hit.row]
    sentences: tuple[Sentence, ...] = ()
    if with_sentences:
        features = describe_sentences(hit.index, hit.row, vector, hit.candidates.weights, (hit.relative, first))
        scores = ranker.sentences(features)
        sentences = tuple(
            Sentence(start, end, float(score)) for (start, end), score in zip(chunk.spans, scores, strict=True)
        )
    return Passage(
        text=chunk.text,
        source=chunk.source,
        title=chunk.title,
        chunk=chunk.chunk,
        score=round(hit.probability, 4),
        collection=hit.collection,
        sentences=sentences,
    )
