"""The knowledge base of a data directory, ready to search: documents ingested, query encoder at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from agent_gateway.config import Configuration
from agent_gateway.gateway.memory import give_back
from agent_gateway.gateway.readiness import ReadinessBoard
from agent_gateway.gateway.warming import cache_folder, ingest_folder, open_encoder
from agent_gateway.interfaces import Encoder, Interaction, Undelivered
from agent_gateway.registry import RegisteredFolder, Registry

if TYPE_CHECKING:
    from agent_gateway.knowledge.encoders.bulk_encoder import BulkEncoder
    from agent_gateway.knowledge.lancedb_store import Store
    from agent_gateway.knowledge.library import Library

#: Questions of this intent are what the encoder will mostly see.
_QUESTIONS = "query"


@dataclass(frozen=True)
class Stock:
    """What was opened. `present` are the folders whose collections were there already: they may have changed since."""

    store: Store
    bulk: BulkEncoder
    encoder: Encoder
    library: Library
    present: tuple[RegisteredFolder, ...]

    async def refresh(self) -> None:
        """Take up what changed in the folders while the gateway was not running."""
        for folder in self.present:
            if await ingest_folder(self.library.ingester, folder, lambda state: None):
                await self.library.reload(folder.collection)
        await give_back()

    async def absorb(self, remember: Sequence[Interaction], forget: Sequence[str]) -> None:
        """Take a delivery of the outbox; what packing it needed is given back."""
        await self.library.absorb(remember, forget)
        await give_back()

    async def close(self) -> None:
        """Let go of the encoder process and the database."""
        await self.bulk.close()
        self.store.close()


async def open_stock(
    configuration: Configuration,
    registry: Registry,
    encoder: Encoder | None,
    readiness: ReadinessBoard,
    undelivered: Undelivered,
) -> Stock:
    """Ingest the folders whose collections are missing, make the query encoder unless given, and load everything."""
    from agent_gateway.knowledge.encoders.bulk_encoder import BulkEncoder  # noqa: PLC0415 - loaded once the ports answer
    from agent_gateway.knowledge.encoders.weights import SHA256  # noqa: PLC0415 - as above
    from agent_gateway.knowledge.ingest import Ingester  # noqa: PLC0415 - as above
    from agent_gateway.knowledge.lancedb_store import Store  # noqa: PLC0415 - as above
    from agent_gateway.knowledge.library import Library  # noqa: PLC0415 - as above
    from agent_gateway.knowledge.ranker import load_ranker  # noqa: PLC0415 - as above
    from agent_gateway.knowledge.reembedding import (  # noqa: PLC0415 - as above
        reembed_collection,
        reembed_interactions,
    )
    from agent_gateway.knowledge.rows import TableMark  # noqa: PLC0415 - as above

    data_dir = configuration.settings.data_dir
    store = await Store.open(data_dir / "knowledge")
    bulk = BulkEncoder(cache_folder(data_dir))
    mark = TableMark(encoder=SHA256, precision=bulk.precision, sentences=bulk.mode)
    ingester = Ingester(store, bulk, mark)
    known = set(await store.names())
    for folder in registry.folders:
        if folder.collection not in known:
            await ingest_folder(ingester, folder, partial(readiness.set, "knowledge"))
    for collection in await store.stale(mark):
        readiness.set("knowledge", f"waiting: embedding {collection} again with the current encoder")
        await reembed_collection(store, collection, bulk, mark)
    await reembed_interactions(store, bulk, mark)
    if encoder is None:
        questions = [example.text for example in registry.examples.get(_QUESTIONS, ())]
        encoder = await open_encoder(data_dir, bulk, store, questions, partial(readiness.set, "encoder"))
    await bulk.close()
    readiness.set("encoder")
    library = Library(
        store,
        ingester,
        encoder,
        ranker=load_ranker(),
        labels=registry.folder_labels(),
        undelivered=undelivered,
        share_memories=configuration.settings.knowledge.share_memories,
    )
    await library.load()
    readiness.set("knowledge")
    present = tuple(folder for folder in registry.folders if folder.collection in known)
    return Stock(store, bulk, encoder, library, present)
