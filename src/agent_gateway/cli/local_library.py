"""The knowledge base of a data directory without a gateway around it; the caller holds the directory's lock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent_gateway.gateway.warming import cache_folder
from agent_gateway.knowledge.encoders.bulk_encoder import BulkEncoder
from agent_gateway.knowledge.encoders.export import find_export
from agent_gateway.knowledge.encoders.onnx_encoder import OnnxEncoder
from agent_gateway.knowledge.encoders.weights import SHA256, find_weights
from agent_gateway.knowledge.encoders.wire import TextToEncode
from agent_gateway.knowledge.ingest import Ingester
from agent_gateway.knowledge.lancedb_store import Store
from agent_gateway.knowledge.library import Library
from agent_gateway.knowledge.ranker import load_ranker
from agent_gateway.knowledge.rows import TableMark
from agent_gateway.runs.database import FILE_NAME
from agent_gateway.runs.withdrawal import StoredWithdrawal

if TYPE_CHECKING:
    from agent_gateway.interfaces import Vector


class QueryEncoder:
    """The exported encoder if there is one, else the reference in its process; found when the first query comes."""

    digest = SHA256
    precision = "fp32"

    def __init__(self, cache: Path, bulk: BulkEncoder) -> None:
        self._cache = cache
        self._bulk = bulk

    async def encode(self, text: str) -> Vector:
        """The vector of one text, shape (dimensions,)."""
        weights = await asyncio.to_thread(find_weights, self._cache)
        export = await asyncio.to_thread(find_export, self._cache, weights.digest)
        if export is None or export.graph is None:
            return (await self._bulk.encode([TextToEncode(text)]))[0].vector
        encoder = await asyncio.to_thread(OnnxEncoder, export.graph, weights)
        try:
            return await encoder.encode(text)
        finally:
            encoder.close()


@asynccontextmanager
async def open_library(data_dir: Path, labels: Mapping[tuple[Path, str], str]) -> AsyncIterator[Library]:
    """Open the knowledge base as the gateway does, but ingest and prepare nothing by itself.

    `labels` names the folders that a gateway here would ingest.
    """
    cache = cache_folder(data_dir)
    store = await Store.open(data_dir / "knowledge")
    try:
        async with BulkEncoder(cache) as bulk:
            mark = TableMark(encoder=SHA256, precision=bulk.precision, sentences=bulk.mode)
            ingester, encoder = Ingester(store, bulk, mark), QueryEncoder(cache, bulk)
            undelivered = StoredWithdrawal(data_dir / FILE_NAME)
            library = Library(store, ingester, encoder, ranker=load_ranker(), labels=labels, undelivered=undelivered)
            await library.load()
            yield library
    finally:
        store.close()
