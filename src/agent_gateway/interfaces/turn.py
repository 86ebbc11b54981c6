"""What a turn is made of: its state, what a stage may use, and the parts behind that."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypedDict

import msgspec

from agent_gateway.approval import Approval
from agent_gateway.completion import RequestBuilder, Usage
from agent_gateway.errors import GatewayError
from agent_gateway.events import EventData
from agent_gateway.intent import Intent
from agent_gateway.interfaces.clusters import Clusters
from agent_gateway.interfaces.completions import CompletionPiece
from agent_gateway.interfaces.routing import Failure, Step
from agent_gateway.interfaces.search import Passage, SearchQuery, SearchResult, Vector
from agent_gateway.messages import (
    Answer,
    Citation,
    Exchange,
    Recollection,
    Role,
    Route,
    Run,
    Tier,
    ToolUse,
    TurnUsage,
)
from agent_gateway.persona import Persona
from agent_gateway.tool import Tool, ToolCall, ToolResult


class PendingCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that act waits for. `approval` is the id of the one it needs, empty when no human is asked.

    `automatic`: no model chose the call with untrusted text before it.
    """

    call: ToolCall
    approval: str = ""
    automatic: bool = False


class ApprovalPending(GatewayError):
    """A call waits for a human. It ends `act`, which runs again after the decision; let it through."""

    code = "approval_pending"

    def __init__(self, pending: PendingCall) -> None:
        super().__init__(f"'{pending.call.name}' waits for a human's decision")
        self.pending = pending


class TurnState(TypedDict, total=False):
    """The state of one turn; each stage returns the keys it adds.

    Given: message, history. classify: vector, intent. retrieve: question (the message, in context when it continues
    the conversation), collections, passages (those kept), evidence (the best passage's probability to answer),
    answerable, recollections. route: route. act: response, citations, route (of the model that answered in the end),
    tool_calls, usage, notices; or pending, when it stands still before a call, with a draft of its answer so far, as
    act alone understands it. `result` is then the call's outcome, when act goes on.
    """

    message: str
    history: tuple[Exchange, ...]
    vector: Any
    intent: Intent
    question: str
    collections: tuple[str, ...]
    passages: tuple[Passage, ...]
    answerable: bool
    evidence: float
    recollections: tuple[Recollection, ...]
    route: Route
    response: str
    citations: tuple[Citation, ...]
    tool_calls: tuple[ToolUse, ...]
    usage: TurnUsage
    notices: tuple[str, ...]
    pending: PendingCall | None
    result: ToolResult | None
    draft: Any


class GenerationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is asked to write: the persona speaks, the passages are the only source of claims."""

    persona: Persona
    abilities: tuple[str, ...]
    question: str
    message: str
    intent: Intent
    passages: tuple[Passage, ...]
    answerable: bool
    evidence: float = 0.0
    collections: tuple[str, ...]
    history: tuple[Exchange, ...]


class Generation(msgspec.Struct, frozen=True, gc=False):
    """One piece of a model's answer: text, a citation of a passage of the request, or what happens meanwhile.

    `route`: from here on another model speaks, or another step begins. `call` and `result`: a tool is used. `usage`:
    tokens of a model call. `notice`: a sentence for the user about how the answer comes to be. `pause`: the answer
    stands still before this call, which is its last piece; `memory` is what is needed to go on.
    """

    text: str = ""
    citation: Citation | None = None
    route: Route | None = None
    call: ToolCall | None = None
    result: ToolResult | None = None
    usage: Usage | None = None
    notice: str = ""
    pause: PendingCall | None = None
    memory: Any = None


class Context(Protocol):
    """What a stage may use; one per turn."""

    @property
    def run_id(self) -> str:
        """The run this turn is."""
        ...

    @property
    def conversation_id(self) -> str:
        """The conversation it belongs to."""
        ...

    @property
    def owner(self) -> str:
        """Who asks."""
        ...

    @property
    def persona(self) -> Persona:
        """Who answers."""
        ...

    @property
    def roles(self) -> tuple[Role, ...]:
        """What who asks may do."""
        ...

    @property
    def clusters(self) -> Clusters:
        """The Kubernetes clusters of this gateway."""
        ...

    @property
    def abilities(self) -> tuple[str, ...]:
        """The summaries of the persona's intents."""
        ...

    @property
    def deadline(self) -> float:
        """When the turn must have ended, on the event loop's clock."""
        ...

    async def emit(self, data: EventData) -> None:
        """Put an event on the run's stream."""
        ...

    async def encode(self, text: str) -> Vector:
        """The vector of one text."""
        ...

    async def classify(self, text: str, vector: Vector) -> Intent:
        """The intent of a message among those of the persona; a small model is asked when the head is unsure."""
        ...

    def collections(self, intent: Intent | None = None) -> tuple[str, ...]:
        """The collections this persona searches for an intent; without one, all that it may search."""
        ...

    async def search(self, query: SearchQuery) -> SearchResult:
        """Search the knowledge base; collections the persona may not see are left out."""
        ...

    def cite(self, passages: Sequence[Passage]) -> tuple[int, ...]:
        """Let the answer cite these passages; returns their numbers, the earlier one for a passage it knows."""
        ...

    @property
    def citable(self) -> Sequence[Passage]:
        """What the answer may cite; the first is number 1."""
        ...

    async def recall(self, vector: Vector) -> tuple[Recollection, ...]:
        """Similar questions asked before by the same owner of the same persona."""
        ...

    def route(self, state: TurnState, step: Step = "plan", failures: tuple[Failure, ...] = ()) -> Route:
        """Choose the model tier for a step of the turn, among those that are up."""
        ...

    def tools(self, intent: Intent) -> tuple[Tool, ...]:
        """The tools that are offered to a model for an intent, at most 8."""
        ...

    @property
    def own_tools(self) -> Sequence[Tool]:
        """Every tool of the persona."""
        ...

    async def attempt(self, call: ToolCall, *, automatic: bool = False) -> ToolResult:
        """Call a tool as `call` does, under an id of the caller's; a call that is not made yet has a `waiting` result.

        Who gets one returns it as the state's `pending`, and is run again with the state's `result`.
        """
        ...

    async def approval(self, call_id: str) -> Approval | None:
        """The approval that a call of this turn waits for, as it stands now."""
        ...

    async def call(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        """Call a tool through the gate; whatever goes wrong is a result.

        A call that a human must decide on ends the stage (`ApprovalPending`), which must let that through. After the
        decision the stage is run again from its start, and this very call, known by its place in the order of calls,
        is made then; a write that was made already is not made again, but has its stored result.
        """
        ...

    async def ask(self, question: str) -> str:
        """Ask a human, by the tool `ask_human`, and return what they answered; ends the stage as `call` does."""
        ...

    def complete(
        self, tier: Tier, build: RequestBuilder, *, stage: str = "act", retry: bool = True
    ) -> AsyncIterator[CompletionPiece]:
        """Call a model of a tier, or of another tier when that one cannot; raises as `Completions.stream` does."""
        ...

    def generate(
        self, request: GenerationRequest, route: Route, memory: Any = None, result: ToolResult | None = None
    ) -> AsyncIterator[Generation]:
        """Have the routed model write the answer, piece by piece, with tools where they are offered.

        `memory` and `result`: go on with an answer that stood still before a call, which has this result.
        """
        ...

    async def remember(self, state: TurnState) -> None:
        """Queue the interaction for the knowledge base; returns before it is written there."""
        ...


Stage: TypeAlias = Callable[[TurnState, Context], Awaitable[TurnState]]


class Encoder(Protocol):
    """Text to vectors. `digest` names the weights, `precision` how they are computed (fp32, int8)."""

    digest: str
    precision: str

    async def encode(self, text: str) -> Vector:
        """The vector of one text, shape (dimensions,)."""
        ...


class Classifier(Protocol):
    """The few-shot head over one vector."""

    def predict(self, text: str, vector: Vector, allowed: Sequence[str]) -> Intent:
        """The intent of a text among the allowed categories (all known ones when empty)."""
        ...


class Model(Protocol):
    """Writes an answer."""

    def generate(self, request: GenerationRequest) -> AsyncIterator[Generation]:
        """Stream the answer; every claim of the answer carries a citation."""
        ...


Emit: TypeAlias = Callable[[EventData], Coroutine[Any, Any, None]]


class Agent(Protocol):
    """A persona wired to its graph."""

    async def run(self, run: Run, history: tuple[Exchange, ...], emit: Emit) -> Answer:
        """One turn, from message to answer; raises `GatewayError` when a stage fails.

        An answer with status `waiting` is none yet: a human must decide first, and the turn's state is stored.
        """
        ...

    async def resume(self, run: Run, history: tuple[Exchange, ...], emit: Emit, checkpoint: bytes) -> Answer:
        """Go on with a turn from its stored state, once somebody has decided, or after it was cut; else as `run`."""
        ...


class Readiness(Protocol):
    """What is warm."""

    def parts(self) -> Mapping[str, str]:
        """Part -> `ready`, `starting`, `waiting: why` or `failed: why`; informative ones start with `note:`."""
        ...

    @property
    def ready(self) -> bool:
        """Whether the floor can answer."""
        ...
