"""Collections of chunks and remembered interactions in LanceDB."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from agent_gateway.interfaces import CollectionInfo, Interaction
from agent_gateway.knowledge.arrow_tables import (
    LOADED_COLUMNS,
    chunk_schema,
    interaction_schema,
    pack_chunks,
    pack_interactions,
    read_mark,
    unpack_chunks,
    unpack_interactions,
    unpack_rows,
)
from agent_gateway.knowledge.filters import Filter, compile_filters, equals
from agent_gateway.knowledge.lance import FTS, ColumnOrdering, RRFReranker
from agent_gateway.knowledge.rows import (
    INTERACTIONS,
    ChunkRow,
    FileState,
    StoredChunks,
    StoredHit,
    StoredInteractions,
    TableMark,
)
from agent_gateway.knowledge.tables import CACHE_BYTES, Tables, storage_errors


class Store:
    """The knowledge base on disk. `StorageFailed` when it cannot be read or written."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    @classmethod
    async def open(cls, path: Path, cache_bytes: int = CACHE_BYTES) -> Self:
        """Open the knowledge base in a folder, which is made when missing."""
        return cls(await Tables.open(path, cache_bytes))

    def close(self) -> None:
        """Let go of the database."""
        self.tables.close()

    async def names(self) -> tuple[str, ...]:
        """The document collections."""
        return tuple(name for name in await self.tables.list_names() if name != INTERACTIONS)

    async def describe(self, collection: str) -> CollectionInfo:
        """A collection's size and making; `NotFound`."""
        table = await self.tables.get(collection)
        with storage_errors(f"cannot read the collection {collection!r}"):
            mark = read_mark(await table.schema())
            chunks = await table.count_rows()
            files = await _read(table, ("at",), [equals("chunk", 0)])
        return CollectionInfo(
            name=collection,
            documents=files.num_rows,
            chunks=chunks,
            encoder=mark.encoder if mark else "",
            precision=mark.precision if mark else "",
            updated_at=max(files["at"].to_pylist(), default=""),
        )

    async def mark(self, collection: str) -> TableMark | None:
        """With what a collection was made; None when unknown, or when there is no such collection."""
        table = await self.tables.find(collection)
        return None if table is None else read_mark(await table.schema())

    async def is_stale(self, collection: str, mark: TableMark) -> bool:
        """Whether there is such a collection and it was not made with `mark`: it has to be embedded again."""
        return await self.tables.find(collection) is not None and await self.mark(collection) != mark

    async def stale(self, mark: TableMark) -> tuple[str, ...]:
        """The document collections that have to be embedded again."""
        return tuple([name for name in await self.names() if await self.is_stale(name, mark)])

    async def create(self, collection: str, mark: TableMark) -> None:
        """Make an empty collection, if there is none of that name."""
        if await self.tables.find(collection) is not None:
            return
        async with self.tables.writing(collection):
            if await self.tables.find(collection) is None:
                await self.tables.create(collection, chunk_schema(mark).empty_table())

    async def drop(self, collection: str) -> None:
        """Remove a collection and all its chunks; `NotFound`."""
        await self.tables.drop(collection)

    async def manifest(self, collection: str, root: str) -> Mapping[str, FileState]:
        """The ingested files below a root: source -> state; empty when there is no such collection."""
        table = await self.tables.find(collection)
        if table is None:
            return {}
        with storage_errors(f"cannot read the collection {collection!r}"):
            columns = ("source", "size", "mtime", "digest")
            files = await _read(table, columns, [equals("root", root), equals("chunk", 0)])
        rows = zip(*(files[name].to_pylist() for name in columns), strict=True)
        return {source: FileState(size, mtime, digest) for source, size, mtime, digest in rows}

    async def roots(self, collection: str) -> tuple[str, ...]:
        """The folders that were ingested into a collection."""
        table = await self.tables.find(collection)
        if table is None:
            return ()
        with storage_errors(f"cannot read the collection {collection!r}"):
            files = await _read(table, ("root",), [equals("chunk", 0)])
        return tuple(sorted(set(files["root"].to_pylist())))

    async def replace_documents(
        self, collection: str, root: str, rows: Sequence[ChunkRow], removed: Sequence[str] = ()
    ) -> None:
        """In one commit: put in the chunks of whole documents below `root`, and take out their old ones.

        `removed` are sources whose chunks only go.
        """
        sources = tuple(sorted({row.source for row in rows} | set(removed)))
        if not sources:
            return
        table = await self.tables.get(collection)
        replaced = compile_filters([equals("root", root), Filter("source", sources)])
        async with self.tables.writing(collection):
            if not rows:
                await table.delete(replaced)
                return
            merge = table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
            merge = merge.when_not_matched_by_source_delete(replaced)
            await merge.execute(pack_chunks(rows, await table.schema()))

    async def rewrite(self, collection: str, mark: TableMark, rows: Sequence[ChunkRow]) -> None:
        """Replace all of a collection in one commit, with a new mark."""
        async with self.tables.writing(collection):
            await self.tables.create(collection, pack_chunks(rows, chunk_schema(mark)), replace=True)

    async def load(self, collection: str) -> StoredChunks:
        """All chunks of a collection; `NotFound`."""
        table = await self.tables.get(collection)
        with storage_errors(f"cannot read the collection {collection!r}"):
            # Thousands of rows take a while to unpack: not on the event loop.
            return await asyncio.to_thread(unpack_chunks, await _read(table, LOADED_COLUMNS))

    async def read_rows(self, collection: str) -> list[ChunkRow]:
        """All chunks of a collection as rows without vectors; `NotFound`."""
        table = await self.tables.get(collection)
        with storage_errors(f"cannot read the collection {collection!r}"):
            return await asyncio.to_thread(unpack_rows, await table.query().to_arrow())

    async def index_text(self, collection: str) -> None:
        """Make the full-text index, once there is text; afterwards `tidy` keeps it up to date."""
        table = await self.tables.get(collection)
        with storage_errors(f"cannot read the collection {collection!r}"):
            if await table.list_indices() or await table.count_rows() == 0:
                return
        async with self.tables.writing(collection):
            await table.create_index("text", config=FTS(with_position=False, stem=True, remove_stop_words=True))

    async def hybrid(self, collection: str, text: str, vector: NDArray[np.float32], limit: int) -> list[StoredHit]:
        """LanceDB's own search: vectors and full text, fused by reciprocal rank. What ours is measured against.

        LanceDB warns of a coming change with every such query, unless `LANCEDB_LOG=error` is in the environment.
        """
        table = await self.tables.get(collection)
        with storage_errors(f"cannot search the collection {collection!r}"):
            query = table.query().nearest_to(vector).nearest_to_text(text, columns=["text"])
            columns = ["source", "title", "headings", "chunk", "text"]
            found = await query.rerank(RRFReranker()).limit(limit).select(columns).to_arrow()
        return [
            StoredHit(
                source=row["source"],
                title=row["title"],
                headings=tuple(row["headings"]),
                chunk=row["chunk"],
                text=row["text"],
                score=row["_relevance_score"],
            )
            for row in found.to_pylist()
        ]

    async def add_interactions(
        self, interactions: Sequence[Interaction], vectors: Sequence[NDArray[np.float32]], mark: TableMark
    ) -> None:
        """Remember interactions; one that is there already is replaced, so a batch can be repeated.

        Cut in the middle, what is replaced is gone until the batch is repeated.
        """
        if not interactions:
            return
        latest = {item.run_id: (item, vector) for item, vector in zip(interactions, vectors, strict=True)}
        data = pack_interactions(
            [item for item, _ in latest.values()], [vector for _, vector in latest.values()], interaction_schema(mark)
        )
        async with self.tables.writing(INTERACTIONS):
            table = await self.tables.find(INTERACTIONS)
            if table is None:
                await self.tables.create(INTERACTIONS, data)
                return
            # Cheaper than a merge, which joins the two and brings 20 MB of code and buffers into memory for it.
            await table.delete(compile_filters([Filter("run_id", tuple(latest))]))
            await table.add(data)

    async def rewrite_interactions(self, stored: StoredInteractions, mark: TableMark) -> None:
        """Replace all remembered interactions in one commit, with a new mark."""
        async with self.tables.writing(INTERACTIONS):
            data = pack_interactions(stored.interactions, list(stored.vectors), interaction_schema(mark))
            await self.tables.create(INTERACTIONS, data, replace=True)

    async def load_interactions(self, latest: int | None = None) -> StoredInteractions:
        """The remembered interactions, all or only the latest so many."""
        table = await self.tables.find(INTERACTIONS)
        if table is None:
            return unpack_interactions(
                interaction_schema(TableMark(encoder="", precision="", sentences="")).empty_table()
            )
        with storage_errors("cannot read the remembered interactions"):
            query = table.query()
            if latest is not None:
                query = query.order_by([ColumnOrdering(column_name="at", ascending=False)]).limit(latest)
            return await asyncio.to_thread(unpack_interactions, await query.to_arrow())

    async def delete_interactions(self, filters: Sequence[Filter]) -> None:
        """Forget the interactions that meet all conditions; at least one is needed."""
        table = await self.tables.find(INTERACTIONS)
        if table is None or not filters:
            return
        async with self.tables.writing(INTERACTIONS):
            await table.delete(compile_filters(filters))


async def _read(table: Any, columns: Sequence[str], filters: Sequence[Filter] = ()) -> Any:
    query = table.query().select(list(columns))
    if filters:
        query = query.where(compile_filters(filters))
    return await query.to_arrow()
