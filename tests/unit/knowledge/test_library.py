from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.unit.knowledge.shelf import encode

from agent_gateway.errors import GatewayError, InvalidInput, NotFound, StorageFailed
from agent_gateway.interfaces import IngestProgress, Interaction, SearchQuery, SearchResult
from agent_gateway.knowledge.encoders.wire import TextToEncode, TextVectors, quantize
from agent_gateway.knowledge.ingest import Ingester
from agent_gateway.knowledge.lancedb_store import Store
from agent_gateway.knowledge.library import Library
from agent_gateway.knowledge.ranker import load_ranker
from agent_gateway.knowledge.rows import INTERACTIONS, TableMark
from agent_gateway.testing import HashingEncoder

MARK = TableMark(encoder="hashing", precision="fp32", sentences="late")
PAGES = {
    "drain.md": "# Draining\n\nDrain the node before you upgrade it. Cordon comes first.\n",
    "backup.md": "# Backups\n\nBackups run every night. A restore takes an hour.\n",
    "ops/alerts.md": "# Alerts\n\nAn alert wakes the engineer on call.\n",
}


class WordsEncoder:
    """Bulk encoder whose vectors are those of the query encoder; fails while `broken`."""

    def __init__(self) -> None:
        self.encoded = 0
        self.broken = False

    async def encode(self, texts: Sequence[TextToEncode]) -> list[TextVectors]:
        if self.broken:
            raise GatewayError("the encoder process ended unexpectedly", code="encoder_failed")
        self.encoded += len(texts)
        return [
            TextVectors(
                encode(text.text),
                quantize(
                    np.stack([encode(text.text[start:end]) for start, end in text.spans] or [encode(text.text)])[
                        : len(text.spans)
                    ]
                ),
            )
            for text in texts
        ]


@pytest.fixture
def bulk() -> WordsEncoder:
    return WordsEncoder()


@pytest.fixture
def library(store: Store, bulk: WordsEncoder) -> Library:
    return Library(store, Ingester(store, bulk, MARK), HashingEncoder(), ranker=load_ranker())


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "docs"
    for name, text in PAGES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


async def ingest(library: Library, folder: Path, collection: str = "docs", root: str = "") -> IngestProgress:
    """The last step of an ingest."""
    steps = [step async for step in library.ingest(str(folder), collection, root)]
    assert steps[-1].finished
    return steps[-1]


async def look(library: Library, text: str, *collections: str) -> SearchResult:
    return await library.search(SearchQuery(text=text, collections=collections or ("docs",)))


async def sources(library: Library, text: str, *collections: str) -> list[str]:
    return [passage.source for passage in (await look(library, text, *collections)).passages]


async def reopened(library: Library, bulk: WordsEncoder) -> Library:
    """The library of another process: nothing is shared but the store."""
    again = Library(library._store, Ingester(library._store, bulk, MARK), HashingEncoder(), ranker=load_ranker())
    await again.load()
    return again


async def test_an_empty_library_finds_nothing(library: Library) -> None:
    await library.load()
    assert library.names() == ()
    assert await library.collections() == ()
    assert (await look(library, "node")).passages == ()
    assert await library.recall(encode("node"), "nora", "local") == ()


async def test_what_was_ingested_is_found(library: Library, docs: Path) -> None:
    progress = await ingest(library, docs)
    assert (progress.added, progress.files, progress.total) == (3, 3, 3)
    assert library.names() == ("docs",)
    result = await look(library, "How long does a restore take?")
    assert result.passages[0].source == "backup.md"
    assert result.passages[0].title == "Backups"
    assert "ops/alerts.md" in await sources(library, "alert engineer on call")
    (info,) = await library.collections()
    assert (info.name, info.documents, info.chunks) == ("docs", 3, 3)
    assert (info.encoder, info.precision) == ("hashing", "fp32")


async def test_what_was_ingested_is_found_after_a_restart(library: Library, docs: Path, bulk: WordsEncoder) -> None:
    await ingest(library, docs)
    before = await look(library, "drain the node before you upgrade")
    again = await reopened(library, bulk)
    assert await look(again, "drain the node before you upgrade") == before
    assert again.names() == library.names()


async def test_a_query_s_own_vector_is_used_when_it_brings_one(library: Library, docs: Path) -> None:
    await ingest(library, docs)
    query = SearchQuery(text="", collections=("docs",), vector=encode("backups run every night"))
    assert (await library.search(query)).passages[0].source == "backup.md"


async def test_only_the_named_collections_are_searched(library: Library, docs: Path, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "refund.md").write_text("# Refunds\n\nA refund of a node takes five days.\n")
    await ingest(library, docs)
    await ingest(library, tmp_path / "shop", "shop")
    assert set(await sources(library, "node", "shop")) == {"refund.md"}
    assert "refund.md" not in await sources(library, "node", "docs")
    assert {"refund.md", "drain.md"} <= set(await sources(library, "node", "docs", "shop", "absent"))
    assert await sources(library, "node", "absent") == []


async def test_a_change_is_found_when_the_ingest_is_finished(library: Library, docs: Path, bulk: WordsEncoder) -> None:
    await ingest(library, docs)
    (docs / "zeppelin.md").write_text("# Zeppelins\n\nA zeppelin lands at noon.\n")
    (docs / "backup.md").unlink()
    progress = await ingest(library, docs)
    assert (progress.added, progress.removed, progress.unchanged) == (1, 1, 2)
    assert (await sources(library, "zeppelin lands"))[0] == "zeppelin.md"
    assert "backup.md" not in await sources(library, "backups night restore hour")
    encoded = bulk.encoded
    assert (await ingest(library, docs)).unchanged == 3
    assert bulk.encoded == encoded


async def test_what_was_written_from_outside_is_found_after_a_reload(
    library: Library, docs: Path, bulk: WordsEncoder
) -> None:
    await library.load()
    async for _ in Ingester(library._store, bulk, MARK).ingest(docs, "docs"):
        pass
    assert await sources(library, "node") == []
    await library.reload("docs")
    assert (await sources(library, "drain node"))[0] == "drain.md"


async def test_searches_go_on_with_what_there_was_when_an_ingest_fails(
    library: Library, docs: Path, bulk: WordsEncoder
) -> None:
    await ingest(library, docs)
    (docs / "zeppelin.md").write_text("# Zeppelins\n\nA zeppelin lands at noon.\n")
    bulk.broken = True
    with pytest.raises(GatewayError, match="encoder process ended"):
        await ingest(library, docs)
    assert (await sources(library, "drain node"))[0] == "drain.md"
    bulk.broken = False
    assert (await ingest(library, docs)).added == 1
    assert (await sources(library, "zeppelin lands"))[0] == "zeppelin.md"


async def test_a_dropped_collection_is_gone_at_once_and_for_good(
    library: Library, docs: Path, bulk: WordsEncoder
) -> None:
    await ingest(library, docs)
    await library.drop("docs")
    assert library.names() == ()
    assert await sources(library, "node") == []
    assert (await reopened(library, bulk)).names() == ()
    with pytest.raises(NotFound) as raised:
        await library.drop("docs")
    assert raised.value.code == "collection_not_found"
    assert (await ingest(library, docs)).added == 3
    assert library.names() == ("docs",)


@pytest.mark.parametrize("name", [INTERACTIONS, "Docs", "a", "a b", "../docs", ""])
async def test_some_names_are_not_for_documents(library: Library, docs: Path, name: str) -> None:
    with pytest.raises(InvalidInput):
        await ingest(library, docs, name)
    with pytest.raises(NotFound):
        await library.drop(name)


def asked(run_id: str, query: str, *, vector: bool = True, owner: str = "local", persona: str = "nora") -> Interaction:
    return Interaction(
        run_id=run_id,
        conversation_id="c",
        persona=persona,
        owner=owner,
        query=query,
        response="An hour.",
        category="query",
        sources=("backup.md",),
        at=f"2026-01-01T00:00:{int(run_id[1:]):02}Z",
        vector=encode(query).astype("<f2").tobytes() if vector else b"",
    )


async def recalled(library: Library, query: str, owner: str = "local", persona: str = "nora") -> list[str]:
    return [each.run_id for each in await library.recall(encode(query), persona, owner)]


@pytest.mark.parametrize("vector", [True, False])
async def test_what_was_asked_is_recalled_now_and_after_a_restart(
    library: Library, bulk: WordsEncoder, vector: bool
) -> None:
    await library.absorb([asked("r1", "How long does a restore take?", vector=vector)], ())
    again = await reopened(library, bulk)
    for each in (library, again):
        (found,) = await each.recall(encode("how long does the restore take"), "nora", "local")
        assert (found.run_id, found.question, found.sources) == ("r1", "How long does a restore take?", ("backup.md",))
        assert await recalled(each, "how long does the restore take", owner="eve") == []
        assert await recalled(each, "how long does the restore take", persona="otto") == []
        assert await recalled(each, "who wakes the engineer") == []


async def test_what_was_absorbed_twice_is_there_once(library: Library, bulk: WordsEncoder) -> None:
    batch = [asked("r1", "How long does a restore take?"), asked("r2", "Who wakes the engineer?")]
    for _ in range(2):
        await library.absorb(batch, ["r3"])
    await library.absorb([asked("r1", "How long does a restore take?")] * 2, ())
    assert len(await library._store.load_interactions()) == 2
    for each in (library, await reopened(library, bulk)):
        assert await recalled(each, "How long does a restore take?") == ["r1"]


async def test_what_was_forgotten_is_gone_now_and_after_a_restart(library: Library, bulk: WordsEncoder) -> None:
    await library.absorb([asked("r1", "How long does a restore take?"), asked("r2", "how long takes a restore")], ())
    await library.absorb((), ["r1", "absent"])
    for each in (library, await reopened(library, bulk)):
        assert await recalled(each, "How long does a restore take?") == ["r2"]
    await library.absorb([asked("r4", "How long does a restore take?")], ["r4", "r2"])
    for each in (library, await reopened(library, bulk)):
        assert await recalled(each, "How long does a restore take?") == []


async def test_forgetting_before_anything_was_remembered_is_nothing(library: Library) -> None:
    await library.absorb((), ["r1"])
    await library.absorb((), ())
    assert await recalled(library, "node") == []


async def test_remembered_questions_are_no_collection(library: Library, docs: Path, bulk: WordsEncoder) -> None:
    await ingest(library, docs)
    await library.absorb([asked("r1", "How long does a zeppelin restore take?")], ())
    again = await reopened(library, bulk)
    for each in (library, again):
        assert each.names() == ("docs",)
        assert await sources(each, "zeppelin restore", INTERACTIONS) == []
        assert [info.name for info in await each.collections()] == ["docs"]
        with pytest.raises(NotFound):
            await each.drop(INTERACTIONS)


async def test_searches_beside_an_ingest_see_all_of_a_document_or_nothing(library: Library, docs: Path) -> None:
    await ingest(library, docs)
    for number in range(40):
        (docs / f"page-{number}.md").write_text(f"# Page {number}\n\nA zeppelin lands at noon on day {number}.\n")
    counts: set[int] = set()
    done = asyncio.Event()

    async def search() -> None:
        while not done.is_set():
            await asyncio.sleep(0)
            found = await library.search(SearchQuery(text="zeppelin lands", collections=("docs",), limit=100))
            counts.add(sum("zeppelin" in passage.text for passage in found.passages))

    searching = asyncio.create_task(search())
    await ingest(library, docs)
    done.set()
    await searching
    # Before and after, nothing between; at most as many as are looked at.
    assert counts <= {0, 30}
    assert 0 in counts


async def test_collections_that_are_read_again_side_by_side_are_all_there(
    library: Library, docs: Path, tmp_path: Path
) -> None:
    for name in ("more", "most"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "page.md").write_text(f"# Page\n\nThe zeppelin of {name} lands at noon.\n")
    folders = {"docs": docs, "more": tmp_path / "more", "most": tmp_path / "most"}
    await asyncio.gather(*(ingest(library, folder, name) for name, folder in folders.items()))
    assert set(library.names()) == set(folders)
    for folder in folders.values():
        (folder / "new.md").write_text("# New\n\nThe balloon rises.\n")
    await asyncio.gather(*(ingest(library, folder, name) for name, folder in folders.items()))
    for name in folders:
        assert (await sources(library, "balloon rises", name))[0] == "new.md"


async def test_what_a_failed_ingest_had_written_is_found_after_the_next(
    library: Library, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(collection: str) -> None:
        raise StorageFailed("no space left for an index")

    with monkeypatch.context() as patch:
        patch.setattr(library._store, "index_text", fail)
        with pytest.raises(StorageFailed):
            await ingest(library, docs)
    assert await sources(library, "drain node") == []
    assert (await ingest(library, docs)).unchanged == 3
    assert (await sources(library, "drain node"))[0] == "drain.md"


async def test_a_folder_that_the_gateway_ingests_by_itself_is_the_same_by_hand(
    store: Store, bulk: WordsEncoder, docs: Path
) -> None:
    labels = {(docs, "docs"): "examples/docs"}
    library = Library(store, Ingester(store, bulk, MARK), HashingEncoder(), ranker=load_ranker(), labels=labels)
    await ingest(library, docs, root="examples/docs")
    assert (await ingest(library, docs)).unchanged == 3
    assert await store.roots("docs") == ("examples/docs",)
    assert (await ingest(library, docs, "other")).added == 3
    assert await store.roots("other") == (str(docs),)


async def test_a_store_that_is_gone_is_one_clear_error(library: Library, docs: Path, store: Store) -> None:
    await ingest(library, docs)
    folder = Path(store.tables._connection.uri)
    await asyncio.to_thread(shutil.rmtree, folder)
    with pytest.raises((StorageFailed, NotFound)):
        await library.reload("docs")
    assert (await sources(library, "drain node"))[0] == "drain.md"
