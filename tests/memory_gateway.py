"""A gateway in memory: knowledge, ingestion and readiness as small real things, and an edge over them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import msgspec
from tests.memory_records import MemoryRecords
from tests.memory_runs import MemoryRuns

from agent_gateway.api.edge import Edge, EdgeSettings
from agent_gateway.errors import InvalidInput, NotFound
from agent_gateway.intent import Intent
from agent_gateway.interfaces import (
    CollectionInfo,
    Forgetting,
    IngestProgress,
    Interaction,
    Passage,
    RouteExplanation,
    SearchQuery,
    SearchResult,
    Vector,
)
from agent_gateway.messages import Recollection, Route
from agent_gateway.persona import Persona

TOKEN = "a token of the control socket"
BRUNO = Persona(id="bruno", title="Bruno", prompt="a secret prompt", collections=("homelab-docs",))
MARY = Persona(id="mary-kay", title="Mary Kay", prompt="another", collections=("customer-docs",), collections_only=True)


class MemoryKnowledge:
    """Documents in dictionaries; a passage answers as much as it shares words with the query."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, str]] = {
            "homelab-docs": {"runbooks/certificates.md": "Renew the certificate with cert-manager."},
            "customer-docs": {"refunds.md": "A refund takes five days."},
        }
        self.remembered: list[Interaction] = []

    async def search(self, query: SearchQuery) -> SearchResult:
        asked = set(query.text.lower().split())
        found = [
            Passage(text=text, source=source, title=source, chunk=0, score=_overlap(asked, text), collection=name)
            for name in query.collections
            for source, text in self.documents.get(name, {}).items()
        ]
        found.sort(key=lambda passage: passage.score, reverse=True)
        best = found[0].score if found else 0.0
        return SearchResult(passages=tuple(found[: query.limit]), answerable=best > 0, score=best)

    async def recall(self, vector: Vector, persona: str, owner: str) -> tuple[Recollection, ...]:
        del vector, persona, owner
        return ()

    def names(self) -> tuple[str, ...]:
        return tuple(self.documents)

    async def collections(self) -> tuple[CollectionInfo, ...]:
        return tuple(
            CollectionInfo(
                name=name,
                documents=len(held),
                chunks=len(held),
                encoder="words",
                precision="fp32",
                updated_at="2026-01-01T00:00:00Z",
            )
            for name, held in self.documents.items()
        )

    async def ingest(self, path: str, collection: str) -> AsyncIterator[IngestProgress]:
        files = await asyncio.to_thread(_read_folder, Path(path))
        held = self.documents.setdefault(collection, {})
        for number, (name, text) in enumerate(files, start=1):
            held[name] = text
            yield IngestProgress(files=number, total=len(files), chunks=number, finished=number == len(files))

    async def drop(self, collection: str) -> None:
        if self.documents.pop(collection, None) is None:
            raise NotFound("There is no such collection.", code="collection_not_found")

    async def forget(self, which: Forgetting) -> int:
        found = [each for each in self.remembered if which.matches(each)]
        if not which.dry_run:
            self.remembered = [each for each in self.remembered if each not in found]
        return len(found)


def _read_folder(folder: Path) -> list[tuple[str, str]]:
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is not a folder.", code="path_not_found")
    return [(file.name, file.read_text()) for file in sorted(folder.glob("*.md"))]


def _overlap(asked: set[str], text: str) -> float:
    return len(asked & set(text.lower().split())) / max(1, len(asked))


class MemoryReadiness:
    """Ready when told so."""

    def __init__(self, ready: bool = True) -> None:
        self._ready = ready

    def parts(self) -> Mapping[str, str]:
        return {"knowledge": "ready" if self._ready else "starting"}

    @property
    def ready(self) -> bool:
        return self._ready

    def set(self, ready: bool) -> None:
        """Become ready, or stop being so."""
        self._ready = ready


class MemoryGateway:
    """Everything behind an edge; `edge()` makes one."""

    def __init__(self, runs: MemoryRuns | None = None) -> None:
        self.runs = runs if runs is not None else MemoryRuns()
        self.records = MemoryRecords()
        self.knowledge = MemoryKnowledge()
        self.readiness = MemoryReadiness()
        self.personas = {persona.id: persona for persona in (BRUNO, MARY)}

    async def explain(self, persona: str, message: str) -> RouteExplanation:
        """Every message goes to the floor."""
        route = Route(tier="extractive", model="extractive", score=0.0, parts={}, reason="there is no model")
        intent = Intent(category="query", complexity="low", reasoning_depth=0, accuracy_requirement=1, confidence=1.0)
        return RouteExplanation(
            persona=persona, message=message, intent=intent, collections=(), passages=0, evidence=0.0,
            policy="documented", choice=None, route=route, other_policy="calibrated", other=None, standings={},
        )  # fmt: skip

    def edge(self, settings: EdgeSettings | None = None) -> Edge:
        """The edge of this gateway."""
        return Edge(
            runs=self.runs,
            approvals=self.records,
            journal=self.records,
            tools={},
            knowledge=self.knowledge,
            ingestion=self.knowledge,
            readiness=self.readiness,
            personas=self.personas,
            intents_of=lambda persona: ("query", "chat") if persona in self.personas else (),
            visible_collections=lambda persona: self.personas[persona].collections,
            explain=self.explain,
            disabled={"broken": "the plugin raised at import"},
            settings=settings if settings is not None else EdgeSettings(control_token=TOKEN),
        )


def decode(content: bytes) -> dict[str, object]:
    """A JSON object."""
    return msgspec.json.decode(content, type=dict[str, object])
