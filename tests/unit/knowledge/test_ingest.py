from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agent_gateway.errors import GatewayError, InvalidInput
from agent_gateway.interfaces import IngestProgress, Interaction
from agent_gateway.knowledge.encoders.weights import DIMENSIONS
from agent_gateway.knowledge.encoders.wire import TextToEncode, TextVectors, quantize
from agent_gateway.knowledge.ingest import Ingester, check_collection_name
from agent_gateway.knowledge.lancedb_store import Store
from agent_gateway.knowledge.reembedding import reembed_interactions
from agent_gateway.knowledge.rows import INTERACTIONS, TableMark
from agent_gateway.knowledge.sentences import split_sentences

MARK = TableMark(encoder="weights", precision="fp32", sentences="late")
OTHER = TableMark(encoder="other", precision="fp32", sentences="late")


def hash_vector(text: str) -> NDArray[np.float32]:
    """A unit vector that depends on the text alone."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    vector = np.random.default_rng(seed).normal(size=DIMENSIONS)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


class HashEncoder:
    """Encodes texts by their hashes, keeps them, and fails once it has seen `fail_after`."""

    def __init__(self, salt: str = "", fail_after: int = 10**9) -> None:
        self.texts: list[str] = []
        self.salt = salt
        self.fail_after = fail_after

    async def encode(self, texts: Sequence[TextToEncode]) -> list[TextVectors]:
        self.texts += [text.text for text in texts]
        if len(self.texts) > self.fail_after:
            raise GatewayError("the encoder process ended unexpectedly", code="encoder_failed")
        found = []
        for text in texts:
            sentences = [hash_vector(text.text[start:end]) for start, end in text.spans]
            stacked = np.stack(sentences) if sentences else np.zeros((0, DIMENSIONS), np.float32)
            found.append(TextVectors(hash_vector(self.salt + text.text), quantize(stacked)))
        return found


@pytest.fixture
def encoder() -> HashEncoder:
    return HashEncoder()


@pytest.fixture
def ingester(store: Store, encoder: HashEncoder) -> Ingester:
    return Ingester(store, encoder, MARK)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    write(folder / "a.md", "# A\n\nAlpha is first. It leads.\n")
    write(folder / "b.md", "# B\n\nBeta is second.\n")
    write(folder / "sub" / "c.md", "# C\n\nGamma is third.\n")
    return folder


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


async def ingest(ingester: Ingester, path: Path | str, root: str = "", name: str = "docs") -> IngestProgress:
    """The last progress."""
    *_, last = [progress async for progress in ingester.ingest(path, name, root)]
    assert last.finished
    return last


def counts(progress: IngestProgress) -> tuple[int, int, int, int]:
    return progress.added, progress.changed, progress.unchanged, progress.removed


async def sources(store: Store) -> list[str]:
    return (await store.load("docs")).sources


async def test_a_folder_is_ingested_with_sentences_and_progress(
    ingester: Ingester, store: Store, encoder: HashEncoder, docs: Path
) -> None:
    seen = [progress async for progress in ingester.ingest(docs, "docs")]
    assert counts(seen[-1]) == (3, 0, 0, 0)
    assert (seen[-1].files, seen[-1].total, seen[-1].chunks) == (3, 3, 3)
    assert [progress.finished for progress in seen] == [False] * (len(seen) - 1) + [True]
    assert all(before.files <= after.files for before, after in pairwise(seen))
    loaded = await store.load("docs")
    assert loaded.sources == ["a.md", "b.md", "sub/c.md"]
    assert loaded.titles == ["A", "B", "C"]
    assert encoder.texts[0] == "A\nAlpha is first. It leads."
    for text, spans, vectors in zip(loaded.texts, loaded.spans, loaded.sentence_vectors, strict=True):
        assert list(spans) == split_sentences(text)
        expected = quantize(np.stack([hash_vector(text[start:end]) for start, end in spans]))
        assert np.array_equal(vectors, expected)
    assert await store.mark("docs") == MARK
    assert await store.roots("docs") == (str(docs),)


async def test_repeating_encodes_and_writes_nothing(
    ingester: Ingester, store: Store, encoder: HashEncoder, docs: Path
) -> None:
    await ingest(ingester, docs)
    revision, encoded = store.tables.revision("docs"), len(encoder.texts)
    os.utime(docs / "a.md")
    again = await ingest(ingester, docs)
    assert counts(again) == (0, 0, 3, 0)
    assert len(encoder.texts) == encoded
    assert store.tables.revision("docs") == revision


async def test_only_what_changed_is_encoded_and_what_is_gone_goes(
    ingester: Ingester, store: Store, encoder: HashEncoder, docs: Path
) -> None:
    await ingest(ingester, docs)
    encoder.texts.clear()
    write(docs / "b.md", "# B\n\nBeta has changed.\n")
    write(docs / "d.md", "Delta is new.\n")
    (docs / "sub" / "c.md").unlink()
    assert counts(await ingest(ingester, docs)) == (1, 1, 1, 1)
    assert encoder.texts == ["B\nBeta has changed.", "D\nDelta is new."]
    assert await sources(store) == ["a.md", "b.md", "d.md"]


async def test_a_change_is_noticed_by_the_time_alone(ingester: Ingester, store: Store, docs: Path) -> None:
    await ingest(ingester, docs)
    status = (docs / "a.md").stat()
    write(docs / "a.md", "# A\n\nAlpha was first. It led.  \n"[: status.st_size])
    os.utime(docs / "a.md", ns=(status.st_mtime_ns, status.st_mtime_ns + 1))
    assert (docs / "a.md").stat().st_size == status.st_size
    assert counts(await ingest(ingester, docs)) == (0, 1, 2, 0)


async def test_bad_files_are_reported_and_the_rest_is_ingested(ingester: Ingester, store: Store, docs: Path) -> None:
    (docs / "bad.md").write_bytes(b"\xff\x00")
    (docs / "empty.md").write_text("")
    write(docs / "broken.pdf", "%PDF-1.4 nonsense")
    write(docs / "picture.png", "x")
    last = await ingest(ingester, docs)
    assert counts(last) == (3, 0, 0, 0)
    assert sorted(last.skipped) == ["*.png", "bad.md", "broken.pdf", "empty.md"]
    assert last.skipped["empty.md"] == "empty"
    assert last.files == last.total == 6


async def test_a_file_that_becomes_bad_is_taken_out(ingester: Ingester, store: Store, docs: Path) -> None:
    await ingest(ingester, docs)
    (docs / "a.md").write_text("")
    last = await ingest(ingester, docs)
    assert last.removed == 1
    assert await sources(store) == ["b.md", "sub/c.md"]


async def test_a_folder_that_cannot_be_read_keeps_its_chunks(
    ingester: Ingester, store: Store, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ingest(ingester, docs)
    listed = Path.iterdir

    def refuse(path: Path) -> object:
        if path.name == "sub":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    last = await ingest(ingester, docs)
    assert last.skipped == {"sub": "cannot be read: Permission denied"}
    assert await sources(store) == ["a.md", "b.md", "sub/c.md"]


async def test_one_file_touches_nothing_else(ingester: Ingester, store: Store, docs: Path) -> None:
    await ingest(ingester, docs)
    (docs / "b.md").unlink()
    write(docs / "sub" / "c.md", "# C\n\nGamma was edited.\n")
    assert counts(await ingest(ingester, docs / "sub" / "c.md")) == (0, 1, 0, 0)
    assert await sources(store) == ["a.md", "b.md", "sub/c.md"]
    assert counts(await ingest(ingester, write(docs.parent / "other" / "x.md", "Elsewhere."))) == (1, 0, 0, 0)
    assert await store.roots("docs") == (str(docs), str(docs.parent / "other"))


async def test_roots_do_not_touch_each_other(ingester: Ingester, store: Store, docs: Path, tmp_path: Path) -> None:
    write(tmp_path / "more" / "a.md", "Another alpha.")
    await ingest(ingester, docs, root="homelab")
    await ingest(ingester, tmp_path / "more", root="more")
    assert await sources(store) == ["a.md", "a.md", "b.md", "sub/c.md"]
    (tmp_path / "more" / "a.md").unlink()
    assert counts(await ingest(ingester, tmp_path / "more", root="more")) == (0, 0, 0, 1)
    assert await sources(store) == ["a.md", "b.md", "sub/c.md"]
    assert await store.roots("docs") == ("homelab",)


async def test_stopped_in_the_middle_every_document_is_old_or_new(
    store: Store, tmp_path: Path, encoder: HashEncoder
) -> None:
    folder = tmp_path / "many"
    for number in range(40):
        write(folder / f"{number:02}.md", "".join(f"## S{part}\n\n{'Old words here. ' * 20}\n\n" for part in range(20)))
    await ingest(Ingester(store, encoder, MARK), folder)
    for number in range(40):
        text = (folder / f"{number:02}.md").read_text().replace("Old", "New")
        (folder / f"{number:02}.md").write_text(text)
    with pytest.raises(GatewayError):
        await ingest(Ingester(store, HashEncoder(fail_after=500), MARK), folder)
    loaded = await store.load("docs")
    versions: dict[str, set[str]] = {}
    for source, text in zip(loaded.sources, loaded.texts, strict=True):
        versions.setdefault(source, set()).add(text[:3])
    assert len(loaded) == 800
    assert sorted(map(len, versions.values())) == [1] * 40
    assert {next(iter(version)) for version in versions.values()} == {"Old", "New"}
    last = await ingest(Ingester(store, encoder, MARK), folder)
    assert last.changed + last.unchanged == 40
    assert last.unchanged > 0
    assert all(text.startswith("New") for text in (await store.load("docs")).texts)


async def test_leaving_early_frees_the_collection(ingester: Ingester, docs: Path) -> None:
    progress = ingester.ingest(docs, "docs")
    await anext(progress)
    await progress.aclose()
    assert counts(await ingest(ingester, docs))[0] + counts(await ingest(ingester, docs))[2] == 6


async def test_two_at_once_do_the_work_once(ingester: Ingester, encoder: HashEncoder, docs: Path) -> None:
    results = await asyncio.gather(*(ingest(ingester, docs) for _ in range(3)))
    assert sorted(result.added for result in results) == [0, 0, 3]
    assert len(encoder.texts) == 3


async def test_a_collection_of_another_encoder_is_embedded_again(ingester: Ingester, store: Store, docs: Path) -> None:
    await ingest(ingester, docs)
    new = HashEncoder("other")
    (docs / "b.md").unlink()
    assert counts(await ingest(Ingester(store, new, OTHER), docs)) == (0, 0, 2, 1)
    assert await store.mark("docs") == OTHER
    loaded = await store.load("docs")
    assert np.array_equal(loaded.vectors[0], hash_vector("otherA\nAlpha is first. It leads."))
    assert loaded.spans[0] == ((0, 15), (16, 25))
    assert len(new.texts) == 3


async def test_interactions_of_another_encoder_are_embedded_again(store: Store, encoder: HashEncoder) -> None:
    assert not await reembed_interactions(store, encoder, MARK)
    interaction = Interaction(
        run_id="r", conversation_id="c", persona="p", owner="o", query="Why?", response="So.", category="query",
        sources=("a.md",), at="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    await store.add_interactions(
        [interaction], [hash_vector("old")], TableMark(encoder="old", precision="int8", sentences="")
    )
    assert await reembed_interactions(store, encoder, MARK)
    assert not await reembed_interactions(store, encoder, MARK)
    stored = await store.load_interactions()
    assert list(stored.interactions) == [interaction]
    assert np.array_equal(stored.vectors[0], hash_vector("Why?"))
    assert await store.mark(INTERACTIONS) == MARK


@pytest.mark.parametrize("name", ["", "a", "A-b", "1ab", "a_b", "a.b", "../x", "a" * 64, "agent-interactions", "ab\n"])
async def test_a_name_that_cannot_be_is_invalid(ingester: Ingester, docs: Path, name: str) -> None:
    with pytest.raises(InvalidInput):
        await ingest(ingester, docs, name=name)


def test_reasonable_names_are_valid() -> None:
    for name in ("ab", "homelab-docs", "a" * 63, "v2"):
        check_collection_name(name)


async def test_a_missing_path_is_invalid_and_makes_no_collection(ingester: Ingester, store: Store) -> None:
    with pytest.raises(InvalidInput, match="no file or folder"):
        await ingest(ingester, "/nowhere/at/all")
    assert await store.names() == ()


async def test_an_unchanged_folder_costs_milliseconds_per_thousand_files(
    ingester: Ingester, encoder: HashEncoder, tmp_path: Path
) -> None:
    for number in range(1000):
        write(tmp_path / "many" / f"{number % 10}" / f"{number}.md", f"# Page {number}\n\nIt says {number}.\n")
    loop = asyncio.get_running_loop()
    start = loop.time()
    assert counts(await ingest(ingester, tmp_path / "many")) == (1000, 0, 0, 0)
    middle = loop.time()
    assert counts(await ingest(ingester, tmp_path / "many")) == (0, 0, 1000, 0)
    assert loop.time() - middle < (middle - start) / 10
    assert len(encoder.texts) == 1000
