"""Agents over light parts, and what they put on the stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.memory_records import NO_CLUSTERS, MemoryRecords, an_executor

from agent_gateway.errors import ModelFailed
from agent_gateway.events import EventData
from agent_gateway.graph.agent import TurnAgent
from agent_gateway.graph.context import AgentContext, TurnScope
from agent_gateway.graph.documented_routing import DocumentedRoutePolicy
from agent_gateway.graph.faculties import Faculties
from agent_gateway.graph.router import Router
from agent_gateway.intent import Intent
from agent_gateway.interfaces import (
    CompletionPiece,
    CompletionTask,
    Interaction,
    Passage,
    Sentence,
    Stage,
    Standing,
    Vector,
)
from agent_gateway.messages import Recollection, Run, Tier
from agent_gateway.models.extractive import ExtractiveModel
from agent_gateway.persona import Persona
from agent_gateway.testing import HashingEncoder, StaticClassifier, StaticKnowledge
from agent_gateway.tool import Tool

WEIGHTS = {"words": 0.1, "reasoning_depth": 2.0, "passages": 0.5, "accuracy_requirement": 3.0}
#: A deadline that never comes.
FAR = float("inf")
THRESHOLDS = {"medium": 5.0, "large": 10.0}


class NoModels:
    """Completions while no model is configured; implements `Completions`."""

    def standing(self, persona: Persona) -> Mapping[Tier, Standing]:
        return {}

    def fallbacks(self, tier: Tier) -> tuple[Tier, ...]:
        return ()

    async def stream(self, task: CompletionTask) -> AsyncIterator[CompletionPiece]:
        for _ in (task,):
            raise ModelFailed("none is configured", code="no_model_available")
        yield CompletionPiece()


NO_MODELS = NoModels()


class Ear:
    """Hears a run's events; calling it is `emit`."""

    def __init__(self) -> None:
        self.events: list[EventData] = []

    async def __call__(self, data: EventData) -> None:
        self.events.append(data)

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of one type, in order."""
        return [event for event in self.events if isinstance(event, kind)]


class CountingEncoder(HashingEncoder):
    """Keeps what it encoded."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def encode(self, text: str) -> Vector:
        self.texts.append(text)
        return await super().encode(text)


class WatchedKnowledge(StaticKnowledge):
    """Keeps for whom it recalled."""

    recalled: tuple[tuple[str, str], ...] = ()

    async def recall(self, vector: Vector, persona: str, owner: str) -> tuple[Recollection, ...]:
        self.recalled = (*self.recalled, (persona, owner))
        return await super().recall(vector, persona, owner)


@dataclass
class House:
    """Everything a turn uses, within reach of a test. `visible` is all that every persona may search."""

    knowledge: WatchedKnowledge = field(default_factory=WatchedKnowledge)
    classifier: StaticClassifier = field(default_factory=StaticClassifier)
    encoder: CountingEncoder = field(default_factory=CountingEncoder)
    models: dict[Tier, Any] = field(default_factory=lambda: {"extractive": ExtractiveModel()})
    visible: tuple[str, ...] = ("docs",)
    for_intent: tuple[str, ...] | None = None
    passages: int = 5
    tools: dict[str, Tool] = field(default_factory=dict)
    records: MemoryRecords = field(default_factory=MemoryRecords)
    remembered: list[Interaction] = field(default_factory=list)
    ear: Ear = field(default_factory=Ear)

    def agent(self, **stages: Stage) -> TurnAgent:
        """An agent whose persona replaces these stages."""
        persona = Persona(
            id="nora", title="Librarian", prompt="Read.", tiers=("small",), stages=stages, tools=tuple(self.tools)
        )
        faculties = Faculties(
            encoder=self.encoder,
            classifier=self.classifier,
            knowledge=self.knowledge,
            router=Router(DocumentedRoutePolicy(WEIGHTS, THRESHOLDS), NO_MODELS),
            models=self.models,
            completions=NO_MODELS,
            tools=an_executor(self.tools, records=self.records),
            clusters=NO_CLUSTERS,
            checkpoints=self.records,
            collections=self._collections,
            remember=self.remembered.append,
            passages=self.passages,
        )
        return TurnAgent(persona, ("look things up",), ("query", "chat"), faculties)

    def context(self) -> AgentContext:
        """The context of a turn."""
        agent = self.agent()
        return AgentContext(
            agent.persona, agent.abilities, agent.intents, agent.faculties, TurnScope(a_run(), self.ear, FAR)
        )

    def _collections(self, persona: Persona, intent: str | None) -> tuple[str, ...]:
        del persona
        return self.visible if intent is None or self.for_intent is None else self.for_intent


def a_run(message: str = "Where are the keys?", run_id: str = "run-1") -> Run:
    """A turn that has just begun."""
    return Run(
        id=run_id,
        conversation_id="conversation-1",
        persona="nora",
        owner="local",
        message=message,
        status="running",
        attempts=1,
        created_at="2026-01-01T00:00:00Z",
    )


def an_intent(category: str = "query", **changes: Any) -> Intent:
    """An intent the classifier is sure of."""
    return StaticClassifier(category, **changes).intent


def a_passage(*sentences: str, source: str = "a.md", chunk: int = 0, scores: Sequence[float] = ()) -> Passage:
    """A passage that consists of these sentences, one a line, equally good unless scored."""
    spans: list[Sentence] = []
    position = 0
    for number, text in enumerate(sentences):
        spans.append(Sentence(position, position + len(text), scores[number] if scores else 0.0))
        position += len(text) + 1
    return Passage(
        text="\n".join(sentences),
        source=source,
        title=source.upper(),
        chunk=chunk,
        score=0.9,
        collection="docs",
        sentences=tuple(spans),
    )
