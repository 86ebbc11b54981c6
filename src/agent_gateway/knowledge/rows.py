"""What is stored: a chunk as a row, a file's state, and a collection as it is loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from agent_gateway.interfaces import Interaction

#: Raised when the columns of a collection change.
SCHEMA_VERSION = 1
INTERACTIONS = "agent-interactions"


class TableMark(msgspec.Struct, frozen=True, kw_only=True):
    """With what a collection was made; collections with another mark than the current one are embedded again."""

    encoder: str
    precision: str
    sentences: str
    version: int = SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as it was ingested: `size` in bytes, `mtime` in nanoseconds, `digest` of its content."""

    size: int
    mtime: int
    digest: str


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """One chunk of a document below `root`.

    `vector`: float32 (dimensions,), unit length. `sentence_vectors`: int8 (sentences, dimensions), one for each span
    of `text`. `at`: when it was stored, ISO 8601, UTC.
    """

    root: str
    source: str
    title: str
    headings: tuple[str, ...]
    chunk: int
    text: str
    spans: tuple[tuple[int, int], ...]
    vector: NDArray[np.float32]
    sentence_vectors: NDArray[np.int8]
    file: FileState
    at: str

    @property
    def id(self) -> str:
        """The row's key: the same chunk of the same file always has the same."""
        name = f"{self.root}\0{self.source}\0{self.chunk}"
        return hashlib.sha256(name.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class StoredChunks:
    """All chunks of a collection, column by column, ordered by source and chunk.

    `vectors`: float32 (chunks, dimensions). `sentence_vectors[i]`: int8 (sentences of chunk i, dimensions), 127 times
    a unit vector, one for each of `spans[i]`.
    """

    sources: list[str]
    titles: list[str]
    headings: list[tuple[str, ...]]
    chunks: NDArray[np.int32]
    texts: list[str]
    spans: list[tuple[tuple[int, int], ...]]
    vectors: NDArray[np.float32]
    sentence_vectors: list[NDArray[np.int8]]

    def __len__(self) -> int:
        return len(self.sources)


@dataclass(frozen=True, slots=True)
class StoredHit:
    """A chunk that LanceDB's own hybrid search found; `score` is that of reciprocal rank fusion, higher is better."""

    source: str
    title: str
    headings: tuple[str, ...]
    chunk: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class StoredInteractions:
    """All remembered interactions, oldest first, and their questions' vectors, float32 (interactions, dimensions)."""

    interactions: Sequence[Interaction]
    vectors: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.interactions)
