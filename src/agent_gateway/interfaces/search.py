"""The knowledge base, as the turn and the edge see it. Vectors are float32, unit length, shape (dimensions,)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import msgspec

from agent_gateway.interfaces.memories import Forgetting
from agent_gateway.messages import Recollection

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector: TypeAlias = NDArray[np.float32]
else:
    Vector: TypeAlias = Any


class Sentence(msgspec.Struct, frozen=True):
    """A sentence of a passage, `text[start:end]`; `score` grows with how well it answers (log odds)."""

    start: int
    end: int
    score: float


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A retrieved piece of a document. `score` is the calibrated probability that it answers the query."""

    text: str
    source: str
    title: str
    chunk: int
    score: float
    collection: str
    sentences: tuple[Sentence, ...] = ()


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for; all `collections` are searched. `vector` is the text's when the caller already has it."""

    text: str
    collections: tuple[str, ...]
    limit: int = 5
    vector: Any = None


class SearchResult(msgspec.Struct, frozen=True, kw_only=True):
    """Passages, best first. `answerable` is the calibrated decision whether they answer the query at all.

    When it is false the passages are still there for a person to look at, but support no claim.
    """

    passages: tuple[Passage, ...]
    answerable: bool
    score: float


class CollectionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a collection holds and with which encoder it was made."""

    name: str
    documents: int
    chunks: int
    encoder: str
    precision: str
    updated_at: str


class Knowledge(Protocol):
    """The knowledge base."""

    async def search(self, query: SearchQuery) -> SearchResult:
        """Passages of the query's collections that exist; a collection that does not is simply empty."""
        ...

    async def recall(self, vector: Vector, persona: str, owner: str) -> tuple[Recollection, ...]:
        """Remembered questions of this persona close to the vector: of this owner, or of all where they are shared."""
        ...

    def names(self) -> tuple[str, ...]:
        """The document collections there are."""
        ...

    async def collections(self) -> tuple[CollectionInfo, ...]:
        """Every collection with its size."""
        ...


class IngestProgress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step of an ingest: counts so far. The last one has `finished` true and the skipped files with their reasons."""

    files: int
    total: int
    chunks: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: Mapping[str, str] = {}
    finished: bool = False


class Ingestion(Protocol):
    """The administration of what is known, in this process or in the running gateway."""

    def ingest(self, path: str, collection: str) -> AsyncIterator[IngestProgress]:
        """Bring a collection up to date with a file or folder."""
        ...

    async def drop(self, collection: str) -> None:
        """Remove a collection and all its chunks; `NotFound` when there is none."""
        ...

    async def collections(self) -> tuple[CollectionInfo, ...]:
        """Every collection with its size."""
        ...

    async def forget(self, which: Forgetting) -> int:
        """Forget remembered interactions at once, or only count them; returns how many match."""
        ...
