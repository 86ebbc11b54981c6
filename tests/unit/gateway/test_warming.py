from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.unit.knowledge.test_ingest import MARK, HashEncoder

from agent_gateway.errors import StorageFailed
from agent_gateway.gateway import warming
from agent_gateway.gateway.warming import ingest_folder, open_classifier, open_encoder, sample_texts
from agent_gateway.intent import IntentExample
from agent_gateway.knowledge.encoders.bulk_encoder import BulkEncoder
from agent_gateway.knowledge.ingest import Ingester
from agent_gateway.knowledge.lancedb_store import Store
from agent_gateway.registry import RegisteredFolder
from agent_gateway.testing import HashingEncoder

THINGS = ("gateway", "printer", "lamp", "database", "mailbox", "camera", "router", "oven")
INTENTS = {
    "change": tuple(IntentExample(f"restart the {thing}", accuracy_requirement=2) for thing in THINGS),
    "look": tuple(IntentExample(f"describe the {thing}") for thing in THINGS),
}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "knowledge")
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> RegisteredFolder:
    path = tmp_path / "docs"
    path.mkdir()
    for number in range(3):
        (path / f"{number}.md").write_text(f"# Page {number}\n\nThis is the sentence of page {number}.\n")
    return RegisteredFolder(label="docs", path=path, collection="docs")


async def test_a_head_is_learned_once_and_again_when_its_file_is_damaged(tmp_path: Path) -> None:
    told: list[str] = []

    async def category() -> str:
        classifier = await open_classifier(tmp_path, HashingEncoder(), INTENTS, told.append)
        text = "please restart my kettle"
        return classifier.predict(text, await HashingEncoder().encode(text), ("change", "look")).category

    assert await category() == "change"
    assert told == ["waiting: learning the intents, once"]
    assert await category() == "change"
    assert len(told) == 1
    (cached,) = (tmp_path / "cache").iterdir()
    content = bytearray(cached.read_bytes())
    content[len(content) // 2] ^= 0xFF
    cached.write_bytes(content)
    assert await category() == "change"
    assert len(told) == 2


async def test_a_head_that_cannot_be_kept_is_a_storage_failure(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(StorageFailed, match="cannot write the classifier's head"):
        await open_classifier(tmp_path, HashingEncoder(), INTENTS, lambda state: None)


async def test_an_ingest_says_how_far_it_is_and_whether_it_changed_anything(
    store: Store, folder: RegisteredFolder
) -> None:
    told: list[str] = []
    ingester = Ingester(store, HashEncoder(), MARK)
    assert await ingest_folder(ingester, folder, told.append)
    assert told[-1] == "waiting: ingesting docs, 3 of 3 files"
    assert await store.roots("docs") == ("docs",)
    assert not await ingest_folder(ingester, folder, told.append)
    (folder.path / "2.md").unlink()
    assert await ingest_folder(ingester, folder, told.append)
    assert len(await store.load("docs")) == 2


async def test_a_folder_that_cannot_be_ingested_is_logged_and_the_rest_goes_on(
    store: Store, folder: RegisteredFolder
) -> None:
    failing = Ingester(store, HashEncoder(fail_after=0), MARK)
    with capture_logs() as logs:
        assert not await ingest_folder(failing, folder, lambda state: None)
    (entry,) = [each for each in logs if each["event"] == "ingest_failed"]
    assert (entry["log_level"], entry["folder"], entry["collection"]) == ("warning", "docs", "docs")


async def test_a_bad_document_is_logged_and_the_others_are_there(store: Store, folder: RegisteredFolder) -> None:
    (folder.path / "bad.md").write_bytes(b"\xff\x00")
    with capture_logs() as logs:
        assert await ingest_folder(Ingester(store, HashEncoder(), MARK), folder, lambda state: None)
    (entry,) = [each for each in logs if each["event"] == "document_skipped"]
    assert entry["source"] == "bad.md"
    assert len(await store.load("docs")) == 3


def write_pages(path: Path, sentences: int) -> Path:
    """Ten sentences to the page."""
    path.mkdir()
    for number in range(sentences // 10):
        text = " ".join(f"Sentence {line} of page {number} is this." for line in range(10))
        (path / f"{number:03}.md").write_text(f"# Page {number}\n\n{text}\n")
    return path


async def fill(store: Store, path: Path) -> None:
    async for _ in Ingester(store, HashEncoder(), MARK).ingest(path, "docs"):
        pass


async def test_an_export_is_judged_on_sentences_from_all_over_the_documents(store: Store, tmp_path: Path) -> None:
    await fill(store, write_pages(tmp_path / "many", 600))
    texts = await sample_texts(store, ["never"])
    assert len(texts) == len(set(texts)) == 200
    pages = {int(text.split()[4]) for text in texts}
    assert min(pages) < 3
    assert max(pages) > 56
    assert "never" not in texts


async def test_with_few_documents_an_export_is_judged_on_questions_too(store: Store, tmp_path: Path) -> None:
    assert await sample_texts(store, ["one", "two"]) == ("one", "two")
    await fill(store, write_pages(tmp_path / "few", 20))
    texts = await sample_texts(store, ["one", "two"])
    assert {"one", "two"} < set(texts)
    assert len(texts) == 22


class IdleBulk(BulkEncoder):
    """Is asked for an export and writes none."""

    asked: tuple[tuple[Sequence[str], Sequence[str]], ...] = ()

    async def export(self, texts: Sequence[str], questions: Sequence[str]) -> Any:
        self.asked = (*self.asked, (texts, questions))


async def test_without_an_accepted_export_the_reference_encodes(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = HashingEncoder()
    monkeypatch.setattr(warming, "_load_reference", lambda weights: reference)
    bulk, told = IdleBulk(tmp_path / "cache"), list[str]()
    questions = [f"question {number}" for number in range(150)]
    with capture_logs() as logs:
        encoder = await open_encoder(tmp_path, bulk, store, questions, told.append)
    assert encoder is reference
    assert told == ["waiting: exporting the query encoder, once"]
    ((texts, asked),) = bulk.asked
    assert (len(texts), len(asked)) == (150, 100)
    assert [each["reason"] for each in logs if each["event"] == "export_rejected"] == ["it was not written"]
