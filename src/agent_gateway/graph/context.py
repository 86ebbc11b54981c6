"""The context of one turn: what its stages may use, bound to its run and its persona."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from agent_gateway.approval import Approval
from agent_gateway.completion import RequestBuilder
from agent_gateway.graph.faculties import Faculties
from agent_gateway.graph.model_classifier import Doubt, describe_categories, reconsider
from agent_gateway.graph.router import FLOOR
from agent_gateway.graph.writing.sources import Sources
from agent_gateway.graph.writing.writer import ModelWriter
from agent_gateway.intent import Intent
from agent_gateway.interfaces import (
    ApprovalPending,
    CompletionPiece,
    CompletionTask,
    Emit,
    Failure,
    Generation,
    GenerationRequest,
    Interaction,
    Passage,
    PendingCall,
    RouteCase,
    SearchQuery,
    SearchResult,
    Step,
    TurnState,
    Vector,
)
from agent_gateway.messages import Recollection, Route, Run, Tier
from agent_gateway.persona import Persona
from agent_gateway.redaction import redact
from agent_gateway.tool import ASK_HUMAN, Tool, ToolCall, ToolResult

#: Models have until this long before the turn's deadline: the floor needs some time, too.
LAST_WORD_SECONDS = 0.5


@dataclass(frozen=True)
class TurnScope:
    """The run of a turn, how to put events on its stream, and its deadline on the event loop's clock."""

    run: Run
    emit: Emit
    deadline: float


class AgentContext:
    """The `Context` of one turn."""

    def __init__(
        self,
        persona: Persona,
        abilities: tuple[str, ...],
        intents: tuple[str, ...],
        faculties: Faculties,
        scope: TurnScope,
    ) -> None:
        self.persona = persona
        self.abilities = abilities
        self._intents = intents
        self._faculties = faculties
        #: Puts an event on the run's stream.
        self.emit = scope.emit
        self._tools = faculties.tools
        self._calls = Counter[str]()
        self._sources = Sources()
        self.run_id = scope.run.id
        self.conversation_id = scope.run.conversation_id
        self.owner = scope.run.owner
        self.roles = scope.run.roles
        self.clusters = faculties.clusters
        self.deadline = scope.deadline

    async def encode(self, text: str) -> Vector:
        """The vector of one text."""
        return await self._faculties.encoder.encode(text)

    async def classify(self, text: str, vector: Vector) -> Intent:
        """The intent of a message among those of the persona; a small model is asked when the head is unsure."""
        intent = self._faculties.classifier.predict(text, vector, self._intents)
        completions = self._faculties.completions
        if intent.confidence >= self._faculties.classify_threshold:
            return intent
        until = asyncio.get_running_loop().time() + self._faculties.classify_seconds
        doubt = Doubt(
            message=text,
            intent=intent,
            meanings=describe_categories(self._intents, self.abilities),
            persona=self.persona,
            owner=self.owner,
            run_id=self.run_id,
            deadline=min(until, self.deadline - LAST_WORD_SECONDS),
        )
        return await reconsider(completions, doubt)

    def collections(self, intent: Intent | None = None) -> tuple[str, ...]:
        """The collections this persona searches for an intent; without one, all that it may search."""
        return self._faculties.collections(self.persona, intent.category if intent is not None else None)

    async def search(self, query: SearchQuery) -> SearchResult:
        """Search what the persona may see."""
        visible = set(self._faculties.collections(self.persona, None))
        allowed = tuple(name for name in query.collections if name in visible)
        limit = min(query.limit, self._faculties.passages)
        return await self._faculties.knowledge.search(msgspec.structs.replace(query, collections=allowed, limit=limit))

    def cite(self, passages: Sequence[Passage]) -> tuple[int, ...]:
        """Let the answer cite these passages; returns their numbers."""
        return self._sources.add(passages)

    @property
    def citable(self) -> Sequence[Passage]:
        """What the answer may cite; the first is number 1."""
        return self._sources.passages

    async def recall(self, vector: Vector) -> tuple[Recollection, ...]:
        """Similar questions asked before by the same owner of this persona."""
        return await self._faculties.knowledge.recall(vector, self.persona.id, self.owner)

    def route(self, state: TurnState, step: Step = "plan", failures: tuple[Failure, ...] = ()) -> Route:
        """Choose the model tier for a step of the turn, among those that are up."""
        history = state.get("history", ())
        joined = state.get("question", state["message"]) != state["message"]
        case = RouteCase(
            message=state["message"],
            intent=state["intent"],
            passages=len(state.get("passages", ())),
            evidence=state.get("evidence", 0.0),
            tiers=self.persona.tiers,
            previous=history[-1].tier if history and joined else None,
            step=step,
            failures=failures,
        )
        return self._faculties.router.route(case, self.persona)

    def tools(self, intent: Intent) -> tuple[Tool, ...]:
        """The tools that are offered to a model for an intent."""
        return self._tools.offered(self.persona, intent, self.run_id)

    @property
    def own_tools(self) -> Sequence[Tool]:
        """Every tool of the persona."""
        return self._tools.owned(self.persona)

    async def attempt(self, call: ToolCall, *, automatic: bool = False) -> ToolResult:
        """Call a tool through the gate; one that is not made yet has a `waiting` result."""
        return await self._tools.call(call, self, automatic=automatic)

    async def perform(self, pending: PendingCall) -> ToolResult:
        """Make a call that waited, once."""
        return await self._tools.perform(pending.call, self, automatic=pending.automatic)

    async def approval(self, call_id: str) -> Approval | None:
        """The approval that a call of this turn waits for."""
        return await self._tools.waits_for(self.run_id, call_id)

    async def call(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        """Call a tool through the gate; `ApprovalPending` when a human must decide first, and nobody has.

        What a stage calls is never automatic: nobody knows what it read before.
        """
        call = ToolCall(id=self._name_call(name, arguments), name=name, arguments=arguments)
        result = await self.attempt(call)
        if result.status != "waiting":
            return result
        pending = PendingCall(call=call, approval=result.approval)
        result = await self.perform(pending)
        if result.status == "waiting":
            raise ApprovalPending(pending)
        return result

    def _name_call(self, name: str, arguments: dict[str, Any]) -> str:
        """The name of a stage's call: by what it is, for a stage that runs again may call others before it.

        They are not the names of a model's calls: a tool may call another one in the middle of those.
        """
        said = msgspec.json.encode((name, arguments), order="deterministic", enc_hook=repr)
        digest = hashlib.sha256(said).hexdigest()[:12]
        self._calls[digest] += 1
        return f"stage-{digest}-{self._calls[digest]}"

    async def ask(self, question: str) -> str:
        """Ask a human, and return what they answered."""
        return (await self.call(ASK_HUMAN, {"question": question})).text

    def complete(
        self, tier: Tier, build: RequestBuilder, *, stage: str = "act", retry: bool = True
    ) -> AsyncIterator[CompletionPiece]:
        """Call a model of a tier, or of another one when that cannot answer."""
        task = CompletionTask(
            persona=self.persona,
            owner=self.owner,
            run_id=self.run_id,
            stage=stage,
            tier=tier,
            build=build,
            deadline=self.deadline - LAST_WORD_SECONDS,
            retry=retry,
        )
        return self._faculties.completions.stream(task)

    def generate(
        self, request: GenerationRequest, route: Route, memory: Any = None, result: ToolResult | None = None
    ) -> AsyncIterator[Generation]:
        """Have the routed model write the answer, or go on with one; the floor does when no model can."""
        whole = self._faculties.models.get(route.tier)
        if whole is not None:
            return whole.generate(request)
        writer = ModelWriter(self, self._faculties.models[FLOOR], self._faculties.tool_limits)
        return writer.generate(request, route, memory, result)

    async def remember(self, state: TurnState) -> None:
        """Queue the interaction."""
        intent = state.get("intent")
        self._faculties.remember(
            Interaction(
                run_id=self.run_id,
                conversation_id=self.conversation_id,
                persona=self.persona.id,
                owner=self.owner,
                query=redact(state["message"]),
                response=redact(state.get("response", "")),
                category=intent.category if intent else "",
                sources=tuple(dict.fromkeys(citation.source for citation in state.get("citations", ()))),
                at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                vector=vector.astype("<f2").tobytes() if (vector := state.get("vector")) is not None else b"",
            )
        )
