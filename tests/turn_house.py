"""Whole gateways in this process, over HTTP: personas that are written down, documents that are written down."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np

from agent_gateway.events import Event
from agent_gateway.gateway import Parts
from agent_gateway.knowledge.encoders.weights import SHA256
from agent_gateway.knowledge.encoders.wire import TextToEncode, TextVectors, quantize
from agent_gateway.knowledge.ingest import Ingester
from agent_gateway.knowledge.lancedb_store import Store
from agent_gateway.knowledge.rows import TableMark
from agent_gateway.persona import Persona
from agent_gateway.server.hosting import open_house
from agent_gateway.testing import GatewayClient, HashingEncoder, StaticClassifier
from agent_gateway.testing.gateway import WrittenPersonas, configure, register

#: What a gateway says its own collections were made with.
MARK = TableMark(encoder=SHA256, precision="fp32", sentences="late")


class WordsEncoder:
    """Encodes documents as `HashingEncoder` encodes questions."""

    async def encode(self, texts: Sequence[TextToEncode]) -> list[TextVectors]:
        words = HashingEncoder()
        found = []
        for text in texts:
            sentences = [await words.encode(text.text[start:end]) for start, end in text.spans]
            stacked = np.stack(sentences) if sentences else np.zeros((0, 384), np.float32)
            found.append(TextVectors(await words.encode(text.text), quantize(stacked)))
        return found


async def stock(folder: Path, collections: Mapping[str, Mapping[str, str]], mark: TableMark = MARK) -> None:
    """Put documents into the data directory below a folder: collection -> source -> text."""
    store = await Store.open(folder / "data" / "knowledge")
    for name, documents in collections.items():
        source = folder / "documents" / name
        write(source, documents)
        async for _ in Ingester(store, WordsEncoder(), mark).ingest(source, name):
            pass
    store.close()


def write(folder: Path, documents: Mapping[str, str]) -> None:
    """Write documents into a folder."""
    for name, text in documents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@asynccontextmanager
async def stocked_gateway(folder: Path, *personas: Persona, **intent: Any) -> AsyncIterator[GatewayClient]:
    """Serve personas over the data directory below a folder, with a real store, and no weights."""
    configuration = configure(folder, (), {})
    parts = Parts(encoder=HashingEncoder(), classifier=StaticClassifier(**intent))
    registry = register(configuration, [WrittenPersonas(personas)])
    with open_house(configuration, registry, parts=parts) as house:
        async with house.served():
            yield GatewayClient(house)


@asynccontextmanager
async def persona_http(gateway: GatewayClient, persona: str) -> AsyncIterator[httpx.AsyncClient]:
    """Talk to a persona's port directly."""
    async with httpx.AsyncClient(base_url=gateway.url(persona), timeout=20, trust_env=False) as client:
        yield client


def data_of(events: Sequence[Event], kind: str) -> list[Any]:
    """The data of the events of one type."""
    return [msgspec.json.decode(event.data) for event in events if event.type == kind]
