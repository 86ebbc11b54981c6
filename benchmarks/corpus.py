"""The documents that are measured over, ingested as the gateway does it and kept between runs."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from agent_gateway.knowledge.encoders.bulk_encoder import BulkEncoder
from agent_gateway.knowledge.encoders.export import find_export
from agent_gateway.knowledge.encoders.onnx_encoder import OnnxEncoder
from agent_gateway.knowledge.encoders.weights import find_weights
from agent_gateway.knowledge.index import CollectionIndex
from agent_gateway.knowledge.ingest import Ingester
from agent_gateway.knowledge.lancedb_store import Store
from agent_gateway.knowledge.library import build_index
from agent_gateway.knowledge.rows import TableMark
from benchmarks.questions import Question, load

CACHE = Path(os.environ.get("AGENT_GATEWAY_BENCHMARK_CACHE", "/tmp/agent-gateway-benchmarks"))
HOMELAB = Path(__file__).parent.parent / "examples/homelab"
PUBLIC = Path(os.environ.get("AGENT_GATEWAY_TEST_ASSETS", "../shared")) / "documents"


@dataclass(frozen=True)
class Corpus:
    """Two collections with the query encoder: our example documents, and a public set written by others."""

    store: Store
    encoder: OnnxEncoder
    homelab: CollectionIndex
    public: CollectionIndex


@asynccontextmanager
async def open_corpus() -> AsyncIterator[Corpus]:
    """Ingest what is missing (minutes the first time), then load."""
    weights = find_weights(CACHE)
    store = await Store.open(CACHE / "knowledge")
    async with BulkEncoder(CACHE) as bulk:
        ingester = Ingester(store, bulk, TableMark(encoder=weights.digest, precision="fp32", sentences=bulk.mode))
        for name, folder in (("homelab", HOMELAB), ("public", PUBLIC)):
            async for progress in ingester.ingest(folder, name):
                print(f"\r{name}: {progress.files}/{progress.total} files", end="", flush=True)
        print()
        homelab, public = build_index(await store.load("homelab")), build_index(await store.load("public"))
        if find_export(CACHE, weights.digest) is None:
            texts = [chunk.text[start:end] for chunk in homelab.chunks for start, end in chunk.spans][::7]
            questions = [question.question for question in load("homelab_questions_dev.jsonl", Question)]
            print(await bulk.export(texts[:200], questions[:100]))
    found = find_export(CACHE, weights.digest)
    if found is None or found.graph is None:
        raise SystemExit("the exported query encoder was not accepted")
    encoder = OnnxEncoder(found.graph, weights)
    try:
        yield Corpus(store, encoder, homelab, public)
    finally:
        encoder.close()
        store.close()
