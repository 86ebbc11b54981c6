"""Makes the parts that take long: the knowledge base with its documents, the query encoder, the classifier.

What is costly is done once per data directory and cached there: the exported query encoder by the digest of the
weights, the classifier's head by the digest of its examples, the documents as chunks.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from agent_gateway.errors import GatewayError, StorageFailed
from agent_gateway.intent import IntentExample
from agent_gateway.interfaces import Classifier, Encoder, IngestProgress
from agent_gateway.registry import RegisteredFolder

if TYPE_CHECKING:
    from agent_gateway.graph.intent_fit import Examples
    from agent_gateway.knowledge.encoders.bulk_encoder import BulkEncoder
    from agent_gateway.knowledge.encoders.weights import Weights
    from agent_gateway.knowledge.ingest import Ingester
    from agent_gateway.knowledge.lancedb_store import Store

#: Takes the state of a part while it is being made.
Report = Callable[[str], None]

log = structlog.get_logger(__name__)

_HEAVY = (
    "agent_gateway.runs.store",
    "agent_gateway.knowledge.library",
    "agent_gateway.knowledge.encoders.onnx_encoder",
    "agent_gateway.graph.agent",
    "agent_gateway.graph.intent_head",
    "agent_gateway.models.extractive",
    "agent_gateway.api.apps",
)
#: An export is judged on this many sentences and questions.
_SENTENCES, _QUESTIONS = 200, 100


async def import_heavy() -> None:
    """Import what takes long in a worker thread, so that `/livez` goes on answering."""
    for module in _HEAVY:
        await asyncio.to_thread(importlib.import_module, module)


def cache_folder(data_dir: Path) -> Path:
    """Where costly results are kept; deleting it costs a minute, nothing else."""
    return data_dir / "cache"


async def ingest_folder(ingester: Ingester, folder: RegisteredFolder, report: Report) -> bool:
    """Bring a folder's collection up to date; whether anything changed. What fails is logged: the rest can go on."""
    last = IngestProgress(files=0, total=0)
    try:
        async for progress in ingester.ingest(str(folder.path), folder.collection, folder.label):
            last = progress
            report(f"waiting: ingesting {folder.label}, {progress.files} of {progress.total} files")
    except GatewayError as error:
        log.warning("ingest_failed", folder=folder.label, collection=folder.collection, error=str(error))
    for source, reason in last.skipped.items():
        log.warning("document_skipped", folder=folder.label, source=source, reason=reason)
    return bool(last.added or last.changed or last.removed)


async def sample_texts(store: Store, fallback: Sequence[str]) -> tuple[str, ...]:
    """Sentences spread over the stored documents, to judge an export on; `fallback` when there are no documents."""
    sentences: list[str] = []
    for name in await store.names():
        stored = await store.load(name)
        for text, spans in zip(stored.texts, stored.spans, strict=True):
            sentences += [text[start:end] for start, end in spans]
    chosen = sentences if len(sentences) >= _SENTENCES else [*sentences, *fallback]
    step = max(1, len(chosen) // _SENTENCES)
    return tuple(chosen[::step][:_SENTENCES])


async def open_encoder(
    data_dir: Path, bulk: BulkEncoder, store: Store, questions: Sequence[str], report: Report
) -> Encoder:
    """The query encoder: the accepted export, made now if it is not there yet, else the reference itself."""
    from agent_gateway.knowledge.encoders.export import find_export  # noqa: PLC0415 - heavy, see import_heavy
    from agent_gateway.knowledge.encoders.onnx_encoder import OnnxEncoder  # noqa: PLC0415 - as above
    from agent_gateway.knowledge.encoders.weights import find_weights  # noqa: PLC0415 - as above

    cache = cache_folder(data_dir)
    weights = await asyncio.to_thread(find_weights, cache)
    found = await asyncio.to_thread(find_export, cache, weights.digest)
    if found is None:
        report("waiting: exporting the query encoder, once")
        texts = await sample_texts(store, questions)
        await bulk.export(texts, tuple(questions[:_QUESTIONS]) or texts[:_QUESTIONS])
        found = await asyncio.to_thread(find_export, cache, weights.digest)
    if found is not None and found.graph is not None:
        return await asyncio.to_thread(OnnxEncoder, found.graph, weights)
    log.warning("export_rejected", reason=found.report.reason if found else "it was not written")
    return await asyncio.to_thread(_load_reference, weights)


def _load_reference(weights: Weights) -> Encoder:
    from agent_gateway.knowledge.encoders.sentence_transformers_encoder import (  # noqa: PLC0415 - brings torch
        SentenceTransformersEncoder,
    )

    return SentenceTransformersEncoder(weights)


async def open_classifier(
    data_dir: Path, encoder: Encoder, intents: Mapping[str, tuple[IntentExample, ...]], report: Report
) -> Classifier:
    """The few-shot head for these examples, fitted now unless the cache has it."""
    from agent_gateway.graph.intent_fit import Examples  # noqa: PLC0415 - heavy, see import_heavy
    from agent_gateway.graph.intent_head import load_head, load_packaged_head  # noqa: PLC0415 - as above
    from agent_gateway.graph.out_of_scope import load_out_of_scope  # noqa: PLC0415 - as above

    examples = Examples(dict(intents), load_out_of_scope())
    digest = examples.digest(f"{encoder.digest} {encoder.precision}")
    path = cache_folder(data_dir) / f"intents-{digest}.npz"
    head = await asyncio.to_thread(load_packaged_head, digest) or await asyncio.to_thread(load_head, path, digest)
    if head is not None:
        return head
    report("waiting: learning the intents, once")
    await fit_classifier(examples, encoder, path, digest)
    head = await asyncio.to_thread(load_head, path, digest)
    if head is None:
        raise StorageFailed(f"the classifier's head {str(path)!r} cannot be read back")
    return head


async def fit_classifier(examples: Examples, encoder: Encoder, path: Path, digest: str) -> None:
    """Encode the examples and fit the head in a child process, which takes scikit-learn with it when it ends."""
    import numpy as np  # noqa: PLC0415 - heavy, see import_heavy

    from agent_gateway.graph.intent_fit import fit_head  # noqa: PLC0415 - as above

    vectors = np.stack([await encoder.encode(text) for text in examples.texts()])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            await asyncio.get_running_loop().run_in_executor(pool, fit_head, examples, vectors, str(path), digest)
    except OSError as error:
        raise StorageFailed(f"cannot write the classifier's head: {error}", hint="is the disk full?") from error
