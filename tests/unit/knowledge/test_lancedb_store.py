from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from agent_gateway.errors import NotFound, StorageFailed
from agent_gateway.interfaces import Interaction
from agent_gateway.knowledge.encoders.weights import DIMENSIONS
from agent_gateway.knowledge.filters import equals
from agent_gateway.knowledge.lancedb_store import Store
from agent_gateway.knowledge.rows import ChunkRow, FileState, StoredInteractions, TableMark

MARK = TableMark(encoder="weights", precision="fp32", sentences="late")
OTHER = TableMark(encoder="other", precision="fp32", sentences="late")


def unit(number: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    vector = np.zeros(DIMENSIONS, np.float32)
    vector[number] = 1
    return vector


def row(source: str, chunk: int = 0, *, text: str = "Some text.", root: str = "/docs", version: int = 0) -> ChunkRow:
    return ChunkRow(
        root=root,
        source=source,
        title=source.upper(),
        headings=("Top", 'It\'s "quoted"'),
        chunk=chunk,
        text=text,
        spans=((0, len(text)),),
        vector=unit(chunk),
        sentence_vectors=np.full((1, DIMENSIONS), -chunk, np.int8),
        file=FileState(10, 10**18 + version, f"1:{version}"),
        at="2026-01-01T00:00:00+00:00",
    )


async def texts(store: Store, name: str = "docs") -> list[str]:
    return (await store.load(name)).texts


async def fill(store: Store, rows: Sequence[ChunkRow], name: str = "docs") -> None:
    await store.create(name, MARK)
    await store.replace_documents(name, "/docs", rows)


async def test_what_is_stored_is_loaded_in_order(store: Store) -> None:
    await fill(store, [row("b.md", 1, text="B one. ü"), row("a.md", 0), row("b.md", 0, text="B zero.")])
    loaded = await store.load("docs")
    assert loaded.sources == ["a.md", "b.md", "b.md"]
    assert loaded.chunks.tolist() == [0, 0, 1]
    assert loaded.texts == ["Some text.", "B zero.", "B one. ü"]
    assert loaded.titles[0] == "A.MD"
    assert loaded.headings[0] == ("Top", 'It\'s "quoted"')
    assert loaded.spans[2] == ((0, 8),)
    assert loaded.vectors.dtype == np.float32
    assert np.array_equal(loaded.vectors[2], unit(1))
    assert loaded.sentence_vectors[2].shape == (1, DIMENSIONS)
    assert loaded.sentence_vectors[2][0, 0] == -1
    assert len(loaded) == 3


async def test_documents_are_replaced_whole_in_one_commit(store: Store) -> None:
    await fill(store, [row("a.md", n, text=f"old {n}") for n in range(3)] + [row("b.md"), row("c.md")])
    table = await store.tables.get("docs")
    before = await table.version()
    await store.replace_documents(
        "docs", "/docs", [row("a.md", 0, text="new 0"), row("d.md", text="d")], removed=["c.md"]
    )
    assert await table.version() == before + 1
    assert await texts(store) == ["new 0", "Some text.", "d"]


async def test_only_the_given_root_is_touched(store: Store) -> None:
    await fill(store, [row("a.md", text="mine")])
    await store.replace_documents("docs", "/other", [row("a.md", text="theirs", root="/other")])
    await store.replace_documents("docs", "/docs", [], removed=["a.md"])
    assert await texts(store) == ["theirs"]
    assert await store.roots("docs") == ("/other",)


async def test_many_removed_sources_with_odd_names(store: Store) -> None:
    names = [f"it's {n} -- ' OR 1=1.md" for n in range(600)]
    await fill(store, [row(name) for name in [*names, "keep.md"]])
    await store.replace_documents("docs", "/docs", [], removed=names)
    assert (await store.load("docs")).sources == ["keep.md"]


async def test_concurrent_writers_do_not_duplicate_rows(store: Store) -> None:
    await store.create("docs", MARK)
    rows = [row(f"{n}.md") for n in range(10)]
    await asyncio.gather(*(store.replace_documents("docs", "/docs", rows) for _ in range(8)))
    assert len(await store.load("docs")) == 10


async def test_manifest_says_what_is_known_of_the_files(store: Store) -> None:
    assert await store.manifest("docs", "/docs") == {}
    await fill(store, [row("a.md", n, version=7) for n in range(2)] + [row("b.md")])
    assert await store.manifest("docs", "/docs") == {
        "a.md": FileState(10, 10**18 + 7, "1:7"),
        "b.md": FileState(10, 10**18, "1:0"),
    }
    assert await store.manifest("docs", "/elsewhere") == {}


async def test_a_collection_is_described_listed_and_dropped(store: Store) -> None:
    await fill(store, [row("a.md", 0), row("a.md", 1), row("b.md")])
    info = await store.describe("docs")
    assert (info.documents, info.chunks, info.encoder, info.precision) == (2, 3, "weights", "fp32")
    assert info.updated_at == "2026-01-01T00:00:00+00:00"
    await store.drop("docs")
    assert await store.names() == ()
    await fill(store, [row("z.md")])
    assert (await store.load("docs")).sources == ["z.md"]


async def test_what_does_not_exist_is_not_found(store: Store) -> None:
    for call in (store.load("docs"), store.drop("docs"), store.describe("docs"), store.read_rows("docs")):
        with pytest.raises(NotFound):
            await call
    assert await store.mark("docs") is None
    assert not await store.is_stale("docs", MARK)


async def test_collections_made_with_another_encoder_are_stale_until_rewritten(store: Store) -> None:
    await fill(store, [row("a.md")])
    assert await store.stale(MARK) == ()
    assert await store.stale(OTHER) == ("docs",)
    (kept,) = await store.read_rows("docs")
    assert (kept.source, kept.file, kept.headings) == ("a.md", row("a.md").file, row("a.md").headings)
    await store.rewrite("docs", OTHER, [row("a.md", text="Anew.")])
    assert await store.stale(OTHER) == ()
    assert await texts(store) == ["Anew."]
    await store.replace_documents("docs", "/docs", [row("b.md")])
    assert len(await store.load("docs")) == 2


async def test_revision_changes_with_every_write(store: Store) -> None:
    await fill(store, [row("a.md")])
    before = store.tables.revision("docs")
    await store.load("docs")
    assert store.tables.revision("docs") == before
    await store.replace_documents("docs", "/docs", [], removed=["a.md"])
    assert store.tables.revision("docs") == before + 1


async def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    first = await Store.open(tmp_path / "db")
    await fill(first, [row("a.md")])
    first.close()
    second = await Store.open(tmp_path / "db")
    assert await second.names() == ("docs",)
    assert await second.mark("docs") == MARK
    second.close()


async def test_hybrid_search_finds_by_words_and_by_vector(store: Store) -> None:
    rows = [row(f"{n}.md", text=f"Nothing of note in number {n}.") for n in range(5)]
    await fill(store, [*rows, row("cert.md", text="Renew the certificate."), row("v.md", 9, text="Unrelated words.")])
    await store.index_text("docs")
    await store.index_text("docs")
    hits = await store.hybrid("docs", "certificates renewing", unit(9), 2)
    assert {hit.source for hit in hits} == {"cert.md", "v.md"}
    assert hits[0].score > 0
    await store.replace_documents("docs", "/docs", [row("late.md", text="A gargoyle appears.")])
    assert "late.md" in {hit.source for hit in await store.hybrid("docs", "gargoyle", unit(9), 3)}
    await store.tables.tidy("docs")
    assert "late.md" in {hit.source for hit in await store.hybrid("docs", "gargoyle ' OR ((", unit(9), 3)}


async def test_tidying_keeps_the_rows_and_happens_by_itself(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.create("docs", MARK)
    for number in range(12):
        await store.replace_documents("docs", "/docs", [row(f"{number}.md")])
    table = await store.tables.get("docs")
    assert (await table.stats())["fragment_stats"]["num_fragments"] == 12
    done = asyncio.Event()
    optimize = table.optimize

    async def optimize_and_tell(**arguments: object) -> None:
        await optimize(**arguments)
        done.set()

    monkeypatch.setattr(table, "optimize", optimize_and_tell)
    task = asyncio.create_task(store.tables.tidy_regularly(0.001))
    await done.wait()
    task.cancel()
    await asyncio.wait([task])
    assert (await table.stats())["fragment_stats"]["num_fragments"] == 1
    assert len(await store.load("docs")) == 12


async def test_storage_that_cannot_be_opened_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageFailed, match="cannot open the knowledge base"):
        await Store.open(tmp_path / "file" / "db")


async def test_a_damaged_table_is_a_clear_error(tmp_path: Path) -> None:
    first = await Store.open(tmp_path / "db")
    await fill(first, [row("a.md")])
    first.close()
    for path in (tmp_path / "db" / "docs.lance" / "data").iterdir():
        path.write_bytes(b"damaged")
    second = await Store.open(tmp_path / "db")
    with pytest.raises(StorageFailed, match="docs"):
        await second.load("docs")
    second.close()


def interaction(number: int, *, conversation: str = "c1", owner: str = "local") -> Interaction:
    return Interaction(
        run_id=f"run-{number}",
        conversation_id=conversation,
        persona="bruno",
        owner=owner,
        query=f"Question {number}?",
        response="Answer.",
        category="query",
        sources=("a.md", "b.md"),
        at=f"2026-01-01T00:00:{number:02}+00:00",
    )


async def test_interactions_are_remembered_once_and_forgotten_by_condition(store: Store) -> None:
    assert len(await store.load_interactions()) == 0
    batch = [interaction(2), interaction(1), interaction(2, conversation="c2")]
    for _ in range(2):
        await store.add_interactions(batch, [unit(2), unit(1), unit(3)], MARK)
    loaded = await store.load_interactions()
    assert list(loaded.interactions) == [interaction(1), interaction(2, conversation="c2")]
    assert np.array_equal(loaded.vectors, np.stack([unit(1), unit(3)]))
    assert await store.names() == ()
    await store.delete_interactions([equals("conversation_id", "c2"), equals("owner", "local")])
    assert [kept.run_id for kept in (await store.load_interactions()).interactions] == ["run-1"]


async def test_interactions_are_never_all_forgotten_by_an_empty_condition(store: Store) -> None:
    await store.add_interactions([interaction(1)], [unit(1)], MARK)
    await store.delete_interactions([])
    assert len(await store.load_interactions()) == 1
    await store.rewrite_interactions(StoredInteractions([interaction(5)], np.stack([unit(5)])), OTHER)
    assert [kept.run_id for kept in (await store.load_interactions()).interactions] == ["run-5"]
