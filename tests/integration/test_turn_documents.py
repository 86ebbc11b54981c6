"""A gateway that keeps its documents up to date by itself, over a real store; only the encoder needs no weights."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.turn_house import MARK, WordsEncoder, stock, stocked_gateway, write

import agent_gateway as ag
from agent_gateway.errors import GatewayError
from agent_gateway.knowledge.encoders import bulk_encoder
from agent_gateway.knowledge.lancedb_store import Store
from agent_gateway.knowledge.rows import TableMark
from agent_gateway.messages import Answer
from agent_gateway.testing import GatewayClient

PAGES = {
    "drain.md": "# Draining\n\nTo drain a node takes ten minutes. First cordon the node.\n",
    "backup.md": "# Backups\n\nBackups run every night. A restore takes an hour.\n",
}
QUESTION = "How long does it take to drain a node?"


class WordsBulk(WordsEncoder):
    """Stands in for the encoder process; refuses while there is a file of that name in its cache."""

    precision = MARK.precision
    mode = MARK.sentences

    def __init__(self, cache: Path) -> None:
        self._broken = cache.parent / "broken"

    async def encode(self, texts: Any) -> Any:
        if self._broken.exists():
            raise GatewayError("the encoder process ended unexpectedly", code="encoder_failed")
        return await super().encode(texts)

    async def close(self) -> None:
        """There is no process."""


Serve = Callable[[], AbstractAsyncContextManager[GatewayClient]]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """A gateway whose persona brings a folder of documents."""
    monkeypatch.setattr(bulk_encoder, "BulkEncoder", WordsBulk)
    write(tmp_path / "handbook", PAGES)
    documents = {str(tmp_path / "handbook"): "docs"}
    nora = ag.Persona(id="nora", port=1, title="Engineer", prompt="Help.", documents=documents)
    return lambda: stocked_gateway(tmp_path, nora)


async def ask_until(gateway: GatewayClient, question: str, done: Callable[[Answer], bool]) -> Answer:
    """Ask until what goes on in the background is done."""
    async with asyncio.timeout(10):
        while True:
            answer = await gateway.ask("nora", question)
            if done(answer):
                return answer
            await asyncio.sleep(0.05)


def cites(source: str) -> Callable[[Answer], bool]:
    return lambda answer: source in {each.source for each in answer.citations}


async def test_documents_that_are_missing_are_ingested_before_the_gateway_is_ready(serve: Serve) -> None:
    async with serve() as gateway:
        answer = await gateway.ask("nora", QUESTION)
        parts = gateway.house.gateway.readiness.parts()
    assert "To drain a node takes ten minutes. [1]" in answer.response
    assert (parts["knowledge"], parts["encoder"]) == ("ready", "ready")


async def test_what_changed_meanwhile_is_taken_up_in_the_background(serve: Serve, tmp_path: Path) -> None:
    async with serve():
        pass
    write(tmp_path / "handbook", {"zeppelin.md": "# Zeppelins\n\nA zeppelin lands at noon.\n"})
    (tmp_path / "handbook" / "backup.md").unlink()
    drain = tmp_path / "handbook" / "drain.md"
    drain.write_text("# Draining\n\nTo drain a node takes a whole day.\n")
    os.utime(drain, ns=(1, 1))
    async with serve() as gateway:
        await ask_until(gateway, "When lands the zeppelin?", cites("zeppelin.md"))
        answer = await gateway.ask("nora", QUESTION)
        gone = await gateway.ask("nora", "How long does a restore of backups take every night?")
    assert "a whole day" in answer.response
    assert "backup.md" not in {each.source for each in gone.citations}


async def test_nothing_changed_means_nothing_is_encoded(serve: Serve, tmp_path: Path) -> None:
    async with serve():
        pass
    (tmp_path / "data" / "broken").touch()
    with capture_logs() as logs:
        async with serve() as gateway:
            assert cites("drain.md")(await gateway.ask("nora", QUESTION))
    assert [each for each in logs if each["event"] == "ingest_failed"] == []


async def test_what_another_encoder_made_is_made_again(serve: Serve, tmp_path: Path) -> None:
    other = TableMark(encoder="another", precision="fp32", sentences="late")
    extra = {"extra.md": "# Extra\n\nA zeppelin lands at noon.\n"}
    await stock(tmp_path, {"docs": PAGES, "extra": extra}, other)
    async with serve() as gateway:
        assert cites("drain.md")(await gateway.ask("nora", QUESTION))
        assert cites("extra.md")(await gateway.ask("nora", "When lands the zeppelin?"))
    store = await Store.open(tmp_path / "data" / "knowledge")
    assert [await store.mark(name) for name in ("docs", "extra")] == [MARK, MARK]
    store.close()


async def test_a_folder_that_cannot_be_ingested_does_not_keep_the_gateway_from_serving(
    serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "broken").touch()
    with capture_logs() as logs:
        async with serve() as gateway:
            answer = await gateway.ask("nora", QUESTION)
    assert answer.status == "completed"
    assert answer.citations == ()
    assert "ingest_failed" in {each["event"] for each in logs}
    (tmp_path / "data" / "broken").unlink()
    async with serve() as gateway:
        await ask_until(gateway, QUESTION, cites("drain.md"))
