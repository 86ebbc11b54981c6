"""The knowledge base as the gateway uses it: LanceDB holds it, memory answers from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from agent_gateway.errors import NotFound
from agent_gateway.interfaces import (
    CollectionInfo,
    Encoder,
    Forgetting,
    IngestProgress,
    Interaction,
    SearchQuery,
    SearchResult,
    Undelivered,
)
from agent_gateway.knowledge.encoders.weights import DIMENSIONS
from agent_gateway.knowledge.forgetting import delete_interactions, find_interactions
from agent_gateway.knowledge.index import CollectionIndex, IndexedChunk
from agent_gateway.knowledge.ingest import Ingester
from agent_gateway.knowledge.lancedb_store import Store
from agent_gateway.knowledge.memories import CAPACITY, Memories
from agent_gateway.knowledge.ranker import Ranker
from agent_gateway.knowledge.rows import StoredChunks
from agent_gateway.knowledge.search import search_collections
from agent_gateway.messages import Recollection

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Library:
    """Implements `Knowledge` and `Ingestion`, and is the sink of the runs' outbox.

    `encoder` encodes queries. `labels` are the names of folders that the gateway ingests by itself, so that one that
    is ingested by hand is the same folder. `undelivered` are the interactions that are still to come. With
    `share_memories`, an owner is reminded of what the other owners asked the same persona.
    """

    def __init__(
        self,
        store: Store,
        ingester: Ingester,
        encoder: Encoder,
        *,
        ranker: Ranker,
        labels: Mapping[tuple[Path, str], str] = MappingProxyType({}),
        undelivered: Undelivered | None = None,
        share_memories: bool = False,
    ) -> None:
        self._store = store
        self.ingester = ingester
        self._labels = labels
        self._ranker = ranker
        self._encoder = encoder
        self._indexes: Mapping[str, CollectionIndex] = {}
        #: The revision of the table that each index was made of.
        self._built: dict[str, int] = {}
        self._memories = Memories(DIMENSIONS)
        self._undelivered = undelivered
        self._share = share_memories
        #: What is written to the store and to memory is not forgotten between the two.
        self._remembering = asyncio.Lock()
        #: Runs whose interactions were taken back; a batch that was read before may still bring them.
        self._withdrawn: set[str] = set()

    async def load(self) -> None:
        """Read every collection and the latest interactions into memory."""
        self._indexes = {name: await self._build(name) for name in await self._store.names()}
        stored = await self._store.load_interactions(CAPACITY)
        self._memories.add(stored.interactions, list(stored.vectors))

    def names(self) -> tuple[str, ...]:
        """The document collections there are."""
        return tuple(self._indexes)

    async def search(self, query: SearchQuery) -> SearchResult:
        """Passages of the query's collections that exist; a collection that does not is simply empty."""
        vector = query.vector if query.vector is not None else await self._encoder.encode(query.text)
        chosen = {name: self._indexes[name] for name in query.collections if name in self._indexes}
        return search_collections(chosen, self._ranker, query.text, vector, query.limit)

    async def recall(self, vector: NDArray[np.float32], persona: str, owner: str) -> tuple[Recollection, ...]:
        """Remembered questions of this persona and owner, or of all its owners, close to the vector."""
        return self._memories.recall(vector, persona, owner, shared=self._share)

    async def collections(self) -> tuple[CollectionInfo, ...]:
        """Every collection with its size."""
        return tuple([await self._store.describe(name) for name in await self._store.names()])

    async def ingest(self, path: str, collection: str, root: str = "") -> AsyncIterator[IngestProgress]:
        """Bring a collection up to date with a file or folder; searches see the result when it is finished."""
        folder = await asyncio.to_thread(Path(path).resolve)
        root = root or self._labels.get((folder, collection), "")
        async for progress in self.ingester.ingest(path, collection, root):
            # An earlier ingest may have failed after it had written something.
            if progress.finished and self._store.tables.revision(collection) != self._built.get(collection, 0):
                await self.reload(collection)
            yield progress

    async def reload(self, collection: str) -> None:
        """Read a collection again after it was written."""
        revision = self._store.tables.revision(collection)
        index = await self._build(collection)
        # Not while waiting: another collection may be read again at the same time.
        self._indexes = {**self._indexes, collection: index}
        self._built[collection] = revision

    async def drop(self, collection: str) -> None:
        """Remove a collection and all its chunks; `NotFound` when there is none."""
        if collection not in await self._store.names():
            raise NotFound(
                f"there is no collection {collection!r}", code="collection_not_found", hint="list them: collections"
            )
        await self._store.drop(collection)
        self._indexes = {name: index for name, index in self._indexes.items() if name != collection}

    async def absorb(self, remember: Sequence[Interaction], forget: Sequence[str]) -> None:
        """Write and delete remembered interactions; done twice it is as if done once."""
        vectors = {each.run_id: await self._vector(each) for each in remember}
        async with self._remembering:
            kept = [
                msgspec.structs.replace(each, vector=b"") for each in remember if each.run_id not in self._withdrawn
            ]
            found = [vectors[each.run_id] for each in kept]
            await self._store.add_interactions(kept, found, self.ingester.mark)
            self._memories.add(kept, found)
            await delete_interactions(self._store, forget)
            self._memories.forget(forget)
            self._withdrawn.difference_update(forget)

    async def forget(self, which: Forgetting) -> int:
        """Forget remembered interactions at once, or only count them; returns how many match."""
        # First those on their way: one that arrives in between is found below.
        coming = await self._undelivered.withdraw(which) if self._undelivered is not None else ()
        async with self._remembering:
            run_ids = tuple({*coming, *await find_interactions(self._store, which)})
            if not which.dry_run:
                self._withdrawn.update(coming)
                await delete_interactions(self._store, run_ids)
                self._memories.forget(run_ids)
        return len(run_ids)

    async def _vector(self, interaction: Interaction) -> NDArray[np.float32]:
        if interaction.vector:
            return np.frombuffer(interaction.vector, dtype=np.float16).astype(np.float32)
        return np.asarray(await self._encoder.encode(interaction.query), dtype=np.float32)

    async def _build(self, collection: str) -> CollectionIndex:
        return await asyncio.to_thread(build_index, await self._store.load(collection))


def build_index(stored: StoredChunks) -> CollectionIndex:
    """The index over a stored collection. Blocking: about a second for 10,000 chunks."""
    chunks = [
        IndexedChunk(
            source=stored.sources[row],
            title=stored.titles[row],
            headings=" > ".join(stored.headings[row]),
            chunk=int(stored.chunks[row]),
            text=stored.texts[row],
            spans=stored.spans[row],
        )
        for row in range(len(stored))
    ]
    return CollectionIndex(chunks, stored.vectors, stored.sentence_vectors)
