"""Ingest with the real encoder in its process, and the query encoder that is exported from it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from agent_gateway.errors import GatewayError
from agent_gateway.knowledge.encoders.bulk_encoder import BulkEncoder
from agent_gateway.knowledge.encoders.export import Export, find_export
from agent_gateway.knowledge.encoders.onnx_encoder import OnnxEncoder
from agent_gateway.knowledge.encoders.weights import DIMENSIONS, SHA256, find_weights
from agent_gateway.knowledge.encoders.wire import SENTENCE_SCALE, SentenceMode, TextToEncode
from agent_gateway.knowledge.ingest import Ingester
from agent_gateway.knowledge.lancedb_store import Store
from agent_gateway.knowledge.rows import TableMark
from agent_gateway.knowledge.sentences import split_sentences

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "homelab"
MARK = TableMark(encoder=SHA256, precision="fp32", sentences="late")

TEXT = "The job renews certificates. Grafana shows the dashboards. A parcel arrives on Monday."


def as_request(text: str) -> TextToEncode:
    return TextToEncode(text, tuple(split_sentences(text)))


def example_sentences() -> list[str]:
    texts = [path.read_text() for path in sorted(EXAMPLES.rglob("*.md"))]
    found = [text[start:end] for text in texts for start, end in split_sentences(text)]
    return [sentence for sentence in found if 30 < len(sentence) < 300]


def files_below(folder: Path) -> list[str]:
    return [path.name for path in sorted(folder.rglob("*")) if path.is_file()]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encoder")


@pytest.fixture(scope="module")
def exported(cache: Path) -> Export:
    sentences = example_sentences()

    async def make() -> None:
        async with BulkEncoder(cache) as encoder:
            await encoder.export(sentences[:: len(sentences) // 200][:200], sentences[3 :: len(sentences) // 100][:100])

    asyncio.run(make())
    export = find_export(cache, SHA256)
    assert export is not None
    return export


@pytest.fixture
def query_encoder(exported: Export, cache: Path) -> Iterator[OnnxEncoder]:
    assert exported.graph is not None
    encoder = OnnxEncoder(exported.graph, find_weights(cache))
    yield encoder
    encoder.close()


@pytest.fixture
async def bulk(cache: Path) -> AsyncIterator[BulkEncoder]:
    async with BulkEncoder(cache) as encoder:
        yield encoder


def test_the_export_agrees_with_the_reference(exported: Export) -> None:
    report = exported.report
    assert report.accepted, report.reason
    assert (report.texts, report.questions) == (200, 100)
    assert report.minimum_cosine >= 0.99
    assert report.overlap >= 0.95


async def test_query_and_bulk_vectors_can_be_compared(query_encoder: OnnxEncoder, bulk: BulkEncoder) -> None:
    texts = [TEXT, "", "kubectl", "\ud800 lone", "long " * 5000, "Ünïcödé 漢字 🙂"]
    clean = [text.encode("utf-8", "replace").decode() for text in texts]
    for text, expected in zip(texts, await bulk.encode([TextToEncode(text) for text in clean]), strict=True):
        vector = await query_encoder.encode(text)
        assert vector.dtype == np.float32
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
        assert float(vector @ expected.vector) > 0.99


@pytest.mark.parametrize("mode", ["late", "separate"])
async def test_each_sentence_has_a_vector_of_its_own_meaning(
    cache: Path, query_encoder: OnnxEncoder, mode: SentenceMode
) -> None:
    long = "Filler about nothing in particular goes on. " * 60 + "The parcel arrives on Monday."
    async with BulkEncoder(cache, mode=mode) as bulk:
        short, cut, bare = await bulk.encode([as_request(TEXT), as_request(long), TextToEncode("No sentences.")])
    assert short.sentences.shape == (3, DIMENSIONS)
    assert bare.sentences.shape == (0, DIMENSIONS)
    for text, vectors, best in [
        ("certificate renewal", short, 0),
        ("dashboards", short, 1),
        ("When is the delivery?", short, 2),
        ("When is the delivery?", cut, 60),
    ]:
        scores = vectors.sentences.astype(np.float32) @ await query_encoder.encode(text) / SENTENCE_SCALE
        assert int(np.argmax(scores)) == best
    lengths = np.linalg.norm(cut.sentences.astype(np.float32), axis=1) / SENTENCE_SCALE
    assert lengths == pytest.approx(1, abs=0.02)


async def test_the_same_text_has_the_same_vector_in_any_company(bulk: BulkEncoder) -> None:
    (alone,) = await bulk.encode([as_request(TEXT)])
    together = await bulk.encode([as_request("Short."), as_request(TEXT), as_request("Much longer. " * 40)] * 20)
    assert float(alone.vector @ together[1].vector) > 0.99999
    assert np.abs(alone.sentences.astype(int) - together[1].sentences).max() <= 1


async def test_ingested_documents_are_found_and_an_unchanged_folder_starts_no_process(
    cache: Path, tmp_path: Path, query_encoder: OnnxEncoder
) -> None:
    store = await Store.open(tmp_path / "knowledge")
    async with BulkEncoder(cache) as bulk:
        *_, last = [
            progress async for progress in Ingester(store, bulk, MARK).ingest(EXAMPLES / "customer", "customer")
        ]
        assert last.added == len(list((EXAMPLES / "customer").glob("*.md")))
        assert bulk.pid is not None
    async with BulkEncoder(cache) as bulk:
        *_, last = [
            progress async for progress in Ingester(store, bulk, MARK).ingest(EXAMPLES / "customer", "customer")
        ]
        assert last.unchanged == last.total
        assert bulk.pid is None
    hits = await store.hybrid("customer", "refund policy", await query_encoder.encode("What is your refund policy?"), 3)
    assert "refund-policy.md" in {hit.source for hit in hits}
    store.close()


async def test_a_lost_process_costs_one_request_at_most(bulk: BulkEncoder) -> None:
    """Cancelled, killed, closed in the middle of a request, and killed between two."""
    many = [TextToEncode("word " * 300)] * 2000
    (expected,) = await bulk.encode([TextToEncode("Second.")])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bulk.encode(many), 0.05)
    (found,) = await bulk.encode([TextToEncode("Second.")])
    assert float(found.vector @ expected.vector) > 0.9999
    for end in (kill, close, close):
        request = asyncio.create_task(bulk.encode(many))
        await asyncio.sleep(0)
        # The last one is closed while its process is being started.
        await end(bulk)
        with pytest.raises(GatewayError) as raised:
            await request
        assert raised.value.code == "encoder_failed"
    assert bulk.pid is None
    await bulk.encode([TextToEncode("Again.")])
    await kill(bulk)
    (found,) = await bulk.encode([TextToEncode("Second.")])
    assert float(found.vector @ expected.vector) > 0.9999


async def kill(bulk: BulkEncoder) -> None:
    assert bulk._channel is not None
    bulk._channel.kill()
    await asyncio.to_thread(bulk._channel._process.wait)


async def close(bulk: BulkEncoder) -> None:
    await bulk.close()


async def test_the_process_goes_when_nobody_asks(cache: Path) -> None:
    async with BulkEncoder(cache, idle_seconds=0.05) as bulk:
        await bulk.encode([TextToEncode("Once.")])
        assert bulk.pid is not None
        assert bulk._channel is not None
        await asyncio.to_thread(bulk._channel._process.wait)
        (found,) = await bulk.encode([TextToEncode("Twice.")])
        assert found.vector.shape == (DIMENSIONS,)


async def test_an_export_without_enough_texts_is_rejected_and_remembered(tmp_path: Path) -> None:
    async with BulkEncoder(tmp_path) as encoder:
        report = await encoder.export(["One."], ["Two?"])
    assert not report.accepted
    found = find_export(tmp_path, SHA256)
    assert found is not None
    assert found.graph is None
    assert files_below(tmp_path) == ["report.json", "weights.json"]


PARENT = """
import asyncio, sys
from pathlib import Path
from agent_gateway.knowledge.encoders.bulk_encoder import BulkEncoder
from agent_gateway.knowledge.encoders.wire import TextToEncode
async def main():
    encoder = BulkEncoder(Path(sys.argv[1]))
    await encoder.encode([TextToEncode("Warm.")])
    print(encoder.pid, flush=True)
    await encoder.encode([TextToEncode("word " * 300)] * 5000)
asyncio.run(main())
"""


def test_the_process_ends_with_its_parent_even_while_it_works(cache: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(cache)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        parent.wait()
        gone, _ = psutil.wait_procs([child], timeout=20)
    assert gone


LIGHT = """
import sys
import agent_gateway.knowledge.ingest
import agent_gateway.knowledge.encoders.bulk_encoder
import agent_gateway.knowledge.encoders.onnx_encoder
heavy = {"torch", "transformers", "sentence_transformers", "onnx"} & set(sys.modules)
assert not heavy, heavy
"""


def test_a_serving_process_needs_no_torch() -> None:
    subprocess.run([sys.executable, "-c", LIGHT], check=True)


REFERENCE = """
import asyncio, sys
from pathlib import Path
from agent_gateway.knowledge.encoders.export import find_export
from agent_gateway.knowledge.encoders.onnx_encoder import OnnxEncoder
from agent_gateway.knowledge.encoders.sentence_transformers_encoder import SentenceTransformersEncoder
from agent_gateway.knowledge.encoders.weights import find_weights
async def main():
    cache = Path(sys.argv[1])
    weights = find_weights(cache)
    reference = SentenceTransformersEncoder(weights)
    exported = OnnxEncoder(find_export(cache, weights.digest).graph, weights)
    one, other = [await encoder.encode("How do I restart Flux?") for encoder in (reference, exported)]
    assert one.shape == (384,) and (reference.digest, reference.precision) == (exported.digest, "fp32")
    assert float(one @ other) > 0.99
    reference.close()
asyncio.run(main())
"""


def test_the_reference_can_stand_in_for_the_export(cache: Path, exported: Export) -> None:
    assert exported.report.accepted
    subprocess.run([sys.executable, "-c", REFERENCE, str(cache)], check=True)
