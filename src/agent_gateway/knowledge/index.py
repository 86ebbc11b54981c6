"""A collection in memory: exact vector search and BM25 over the same chunks.

LanceDB keeps the chunks; this is what a turn searches. Flat search over float32 vectors has no recall to lose, and up
to tens of thousands of chunks it is many times cheaper than a query through a storage engine (docs/design/search.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agent_gateway.knowledge.lexicon import terms
from agent_gateway.knowledge.vectors import multiply

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int32]

K1 = 1.2
B = 0.75
#: A term in a title or heading counts as this many in the text.
HEADING_WEIGHT = 2.0


@dataclass(frozen=True)
class IndexedChunk:
    """One chunk as the index holds it; `spans` are its sentences as offsets into `text`."""

    source: str
    title: str
    headings: str
    chunk: int
    text: str
    spans: tuple[tuple[int, int], ...]


class CollectionIndex:
    """An immutable index over one collection; the chunks of a document stand together.

    `vectors` has shape (chunks, dimensions), unit rows. `sentence_vectors[i]` has shape (sentences of chunk i,
    dimensions), int8, 127 times a unit vector.
    """

    def __init__(self, chunks: Sequence[IndexedChunk], vectors: Floats, sentence_vectors: Sequence[NDArray[np.int8]]):
        self.chunks = tuple(chunks)
        self.vectors = vectors
        self.sentence_vectors = tuple(sentence_vectors)
        self.documents, self._starts = _documents(chunks)
        self.document_sizes = np.diff(np.append(self._starts, len(chunks))).astype(np.int32)
        self.opening = np.array([chunk.chunk == 0 for chunk in chunks], dtype=bool)
        self.centroids = _centroids(self.documents, vectors)
        self._postings, self.heading_terms = _postings(chunks)

    def __len__(self) -> int:
        return len(self.chunks)

    def idf(self, term: str) -> float:
        """Inverse document frequency of a term, above 0; the highest for a term that does not occur."""
        posting = self._postings.get(term)
        frequency = 0 if posting is None else len(posting[0])
        return float(np.log(1 + (len(self.chunks) - frequency + 0.5) / (frequency + 0.5)))

    def cosines(self, vector: Floats) -> Floats:
        """Cosine of every chunk with a unit vector, shape (chunks,)."""
        return multiply(self.vectors, vector)

    def bm25(self, weights: Mapping[str, float]) -> tuple[Floats, Floats]:
        """BM25 of every chunk, and the idf-weighted share of the query's terms it has; both of shape (chunks,).

        `weights` maps each distinct query term to its idf.
        """
        scores = np.zeros(len(self.chunks), dtype=np.float32)
        covered = np.zeros(len(self.chunks), dtype=np.float32)
        for term, idf in weights.items():
            posting = self._postings.get(term)
            if posting is not None:
                rows, saturation = posting
                scores[rows] += idf * saturation
                covered[rows] += idf
        total = sum(weights.values())
        return scores, covered / total if total else covered

    def knows(self, term: str) -> bool:
        """Whether a term occurs in any chunk."""
        return term in self._postings

    def rows_of(self, document: int) -> slice:
        """The rows of a document's chunks."""
        start = int(self._starts[document])
        return slice(start, start + int(self.document_sizes[document]))

    def document_maximum(self, values: Floats) -> Floats:
        """The highest of the chunks' values in each document, shape (documents,)."""
        return np.asarray(np.maximum.reduceat(values, self._starts), dtype=np.float32)

    def sentence_cosines(self, row: int, vector: Floats) -> Floats:
        """Cosine of each sentence of a chunk with a unit vector, shape (sentences,)."""
        return (self.sentence_vectors[row].astype(np.float32) @ vector) / np.float32(127)


def _documents(chunks: Sequence[IndexedChunk]) -> tuple[Ints, NDArray[np.int64]]:
    """The number of each chunk's document, and the first row of each document."""
    numbers: list[int] = []
    starts: list[int] = []
    for row, chunk in enumerate(chunks):
        if row == 0 or chunk.source != chunks[row - 1].source:
            starts.append(row)
        numbers.append(len(starts) - 1)
    return np.array(numbers, dtype=np.int32), np.array(starts, dtype=np.int64)


def _centroids(documents: Ints, vectors: Floats) -> Floats:
    """The unit mean vector of each chunk's document, one row per document."""
    if not len(documents):
        return vectors
    sums = np.zeros((int(documents.max()) + 1, vectors.shape[1]), dtype=np.float32)
    np.add.at(sums, documents, vectors)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.maximum(lengths, 1e-9), dtype=np.float32)


def _postings(chunks: Sequence[IndexedChunk]) -> tuple[dict[str, tuple[Ints, Floats]], tuple[frozenset[str], ...]]:
    """Per term the chunks that have it with their saturated frequency, and per chunk its title and heading terms."""
    raw: dict[str, list[tuple[int, float]]] = {}
    lengths = np.zeros(len(chunks), dtype=np.float32)
    head_terms: list[frozenset[str]] = []
    for row, chunk in enumerate(chunks):
        body = Counter(terms(chunk.text))
        head = terms(f"{chunk.title} {chunk.headings}")
        lengths[row] = body.total() + len(head)
        counts: dict[str, float] = dict(body)
        for term in head:
            counts[term] = counts.get(term, 0.0) + HEADING_WEIGHT
        for term, count in counts.items():
            raw.setdefault(term, []).append((row, count))
        head_terms.append(frozenset(head))
    mean = float(lengths.mean()) if len(chunks) else 1.0
    norms = K1 * (1 - B + B * lengths / max(mean, 1.0))
    postings: dict[str, tuple[Ints, Floats]] = {}
    for term, pairs in raw.items():
        rows = np.array([pair[0] for pair in pairs], dtype=np.int32)
        counts_ = np.array([pair[1] for pair in pairs], dtype=np.float32)
        postings[term] = (rows, np.asarray(counts_ * (K1 + 1) / (counts_ + norms[rows]), dtype=np.float32))
    return postings, tuple(head_terms)
