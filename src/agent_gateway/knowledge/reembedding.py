"""Embeds again what was made with another encoder, from the texts that are stored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from agent_gateway.knowledge.encoders.wire import TextToEncode
from agent_gateway.knowledge.encoding import REQUEST_CHUNKS, TextEncoder, prepare_text
from agent_gateway.knowledge.lancedb_store import Store
from agent_gateway.knowledge.rows import INTERACTIONS, ChunkRow, StoredInteractions, TableMark


async def reembed_collection(store: Store, collection: str, encoder: TextEncoder, mark: TableMark) -> None:
    """Replace a collection's vectors in one commit; until then it is searched as it was."""
    rows: list[ChunkRow] = []
    stored = await store.read_rows(collection)
    for first in range(0, len(stored), REQUEST_CHUNKS):
        part = stored[first : first + REQUEST_CHUNKS]
        texts = [prepare_text(row.title, row.headings, row.text) for row in part]
        vectors = await encoder.encode([text for text, _ in texts])
        rows += [
            replace(row, spans=spans, vector=found.vector, sentence_vectors=found.sentences)
            for row, (_, spans), found in zip(part, texts, vectors, strict=True)
        ]
    await store.rewrite(collection, mark, rows)
    await store.index_text(collection)


async def reembed_interactions(store: Store, encoder: TextEncoder, mark: TableMark) -> bool:
    """Replace the vectors of the remembered interactions unless they were made with these weights; whether it did.

    Their precision may differ: they are written with the query encoder, which agrees with the reference.
    """
    known = await store.mark(INTERACTIONS)
    if INTERACTIONS not in await store.tables.list_names():
        return False
    if known is not None and (known.encoder, known.version) == (mark.encoder, mark.version):
        return False
    stored = await store.load_interactions()
    vectors = np.zeros((len(stored), stored.vectors.shape[1]), np.float32)
    for first in range(0, len(stored), REQUEST_CHUNKS):
        part = stored.interactions[first : first + REQUEST_CHUNKS]
        found = await encoder.encode([TextToEncode(interaction.query) for interaction in part])
        vectors[first : first + len(part)] = [text.vector for text in found]
    await store.rewrite_interactions(StoredInteractions(stored.interactions, vectors), mark)
    return True
