"""An agent: a persona wired to its graph, and the context its stages see."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from agent_gateway.errors import GatewayError
from agent_gateway.events import EventData
from agent_gateway.graph.build import CompiledTurnGraph
from agent_gateway.intent import Intent
from agent_gateway.interfaces import (
    Classifier,
    Emit,
    Encoder,
    Generation,
    GenerationRequest,
    Interaction,
    Knowledge,
    Model,
    RoutePolicy,
    SearchQuery,
    SearchResult,
    TurnState,
    Vector,
)
from agent_gateway.messages import Answer, Exchange, ModelKind, Recollection, Route, Run, Tier
from agent_gateway.persona import Persona

_KINDS: Mapping[Tier, ModelKind] = {"small": "slm", "medium": "slm", "large": "llm", "extractive": "extractive"}


@dataclass(frozen=True)
class Faculties:
    """What all agents share: the parts a turn uses, behind their Protocols."""

    encoder: Encoder
    classifier: Classifier
    knowledge: Knowledge
    routing: RoutePolicy
    models: Mapping[Tier, Model]
    #: (persona, intent name) -> the collections to search; None for all that the persona may search.
    collections: Callable[[Persona, str | None], tuple[str, ...]]
    #: Queues an interaction for the knowledge base without waiting.
    remember: Callable[[Interaction], None]
    #: Passages a turn keeps at most.
    passages: int


class TurnAgent:
    """Runs the turns of one persona. `abilities` complete the sentence "I can ..."."""

    def __init__(self, persona: Persona, abilities: tuple[str, ...], intents: tuple[str, ...], faculties: Faculties):
        self.persona = persona
        self.abilities = abilities
        self.intents = intents
        self.faculties = faculties
        self._graph = CompiledTurnGraph(persona.stages)

    async def run(self, run: Run, history: tuple[Exchange, ...], emit: Emit) -> Answer:
        """One turn, from message to answer; whatever a stage raises goes through."""
        begun = time.perf_counter()
        context = AgentContext(self, run, emit)
        state = await self._graph.run({"message": run.message, "history": history}, context)
        return self._answer(run, state, (time.perf_counter() - begun) * 1000)

    def _answer(self, run: Run, state: TurnState, elapsed: float) -> Answer:
        route = state.get("route")
        return Answer(
            response=state.get("response", ""),
            model=_KINDS[route.tier] if route else "extractive",
            context_used=len(state.get("passages", ())),
            latency_ms=round(elapsed, 2),
            conversation_id=run.conversation_id,
            run_id=run.id,
            status="completed",
            intent=state.get("intent"),
            route=route,
            citations=state.get("citations", ()),
            asked_before=state.get("recollections", ()),
        )


class AgentContext:
    """The `Context` of one turn."""

    def __init__(self, agent: TurnAgent, run: Run, emit: Emit):
        self._agent = agent
        self._faculties = agent.faculties
        self._emit = emit
        self.persona = agent.persona
        self.abilities = agent.abilities
        self.run_id = run.id
        self.conversation_id = run.conversation_id
        self.owner = run.owner

    async def emit(self, data: EventData) -> None:
        """Put an event on the run's stream."""
        await self._emit(data)

    async def encode(self, text: str) -> Vector:
        """The vector of one text."""
        return await self._faculties.encoder.encode(text)

    async def classify(self, text: str, vector: Vector) -> Intent:
        """The intent of a message among those of the persona."""
        return self._faculties.classifier.predict(text, vector, self._agent.intents)

    def collections(self, intent: Intent) -> tuple[str, ...]:
        """The collections this persona searches for an intent."""
        return self._faculties.collections(self.persona, intent.category)

    async def search(self, query: SearchQuery) -> SearchResult:
        """Search what the persona may see."""
        visible = set(self._faculties.collections(self.persona, None))
        allowed = tuple(name for name in query.collections if name in visible)
        limit = min(query.limit, self._faculties.passages)
        return await self._faculties.knowledge.search(msgspec.structs.replace(query, collections=allowed, limit=limit))

    async def recall(self, vector: Vector) -> tuple[Recollection, ...]:
        """Similar questions asked before by the same owner of this persona."""
        return await self._faculties.knowledge.recall(vector, self.persona.id, self.owner)

    def route(self, message: str, intent: Intent, passages: int) -> Route:
        """Choose the model tier."""
        return self._faculties.routing.decide(message, intent, passages, self.persona.tiers)

    def generate(self, request: GenerationRequest, route: Route) -> AsyncIterator[Generation]:
        """Have the routed model write the answer; `GatewayError` when no model serves the route's tier."""
        model = self._faculties.models.get(route.tier)
        if model is None:
            raise GatewayError(f"no model serves the tier '{route.tier}'", code="tier_unavailable")
        return model.generate(request)

    async def remember(self, state: TurnState) -> None:
        """Queue the interaction."""
        intent = state.get("intent")
        self._faculties.remember(
            Interaction(
                run_id=self.run_id,
                conversation_id=self.conversation_id,
                persona=self.persona.id,
                owner=self.owner,
                query=state["message"],
                response=state.get("response", ""),
                category=intent.category if intent else "",
                sources=tuple(dict.fromkeys(citation.source for citation in state.get("citations", ()))),
                at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                vector=vector.astype("<f2").tobytes() if (vector := state.get("vector")) is not None else b"",
            )
        )
