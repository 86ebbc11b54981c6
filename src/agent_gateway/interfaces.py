"""The Protocols through which the parts of the house meet; nobody imports a sibling.

Vectors are float32, unit length; a batch has shape (n, dimensions).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypedDict

import msgspec

from agent_gateway.events import Event, EventData
from agent_gateway.intent import Intent
from agent_gateway.messages import (
    Answer,
    Citation,
    Conversation,
    ConversationSummary,
    Exchange,
    Recollection,
    Route,
    Run,
)
from agent_gateway.persona import Persona

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector: TypeAlias = NDArray[np.float32]
else:
    Vector: TypeAlias = Any


class Sentence(msgspec.Struct, frozen=True):
    """A sentence of a passage, `text[start:end]`; `score` grows with how well it answers (log odds)."""

    start: int
    end: int
    score: float


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A retrieved piece of a document. `score` is the calibrated probability that it answers the query."""

    text: str
    source: str
    title: str
    chunk: int
    score: float
    collection: str
    sentences: tuple[Sentence, ...] = ()


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for; all `collections` are searched. `vector` is the text's when the caller already has it."""

    text: str
    collections: tuple[str, ...]
    limit: int = 5
    vector: Any = None


class SearchResult(msgspec.Struct, frozen=True, kw_only=True):
    """Passages, best first. `answerable` is the calibrated decision whether they answer the query at all.

    When it is false the passages are still there for a person to look at, but support no claim.
    """

    passages: tuple[Passage, ...]
    answerable: bool
    score: float


class TurnState(TypedDict, total=False):
    """The state of one turn; each stage returns the keys it adds.

    Given: message, history. classify: vector, intent. retrieve: question (the message, in context when it continues
    the conversation), collections, passages (those kept), answerable, recollections. route: route. act: response,
    citations.
    """

    message: str
    history: tuple[Exchange, ...]
    vector: Any
    intent: Intent
    question: str
    collections: tuple[str, ...]
    passages: tuple[Passage, ...]
    answerable: bool
    recollections: tuple[Recollection, ...]
    route: Route
    response: str
    citations: tuple[Citation, ...]


class GenerationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is asked to write: the persona speaks, the passages are the only source of claims."""

    persona: Persona
    abilities: tuple[str, ...]
    question: str
    message: str
    intent: Intent
    passages: tuple[Passage, ...]
    answerable: bool
    collections: tuple[str, ...]
    history: tuple[Exchange, ...]


class Generation(msgspec.Struct, frozen=True):
    """One piece of a model's answer: text, or a citation of a passage of the request."""

    text: str = ""
    citation: Citation | None = None


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
    def abilities(self) -> tuple[str, ...]:
        """The summaries of the persona's intents."""
        ...

    async def emit(self, data: EventData) -> None:
        """Put an event on the run's stream."""
        ...

    async def encode(self, text: str) -> Vector:
        """The vector of one text."""
        ...

    async def classify(self, text: str, vector: Vector) -> Intent:
        """The intent of a message among those of the persona."""
        ...

    def collections(self, intent: Intent) -> tuple[str, ...]:
        """The collections this persona searches for an intent."""
        ...

    async def search(self, query: SearchQuery) -> SearchResult:
        """Search the knowledge base; collections the persona may not see are left out."""
        ...

    async def recall(self, vector: Vector) -> tuple[Recollection, ...]:
        """Similar questions asked before by the same owner of the same persona."""
        ...

    def route(self, message: str, intent: Intent, passages: int) -> Route:
        """Choose the model tier."""
        ...

    def generate(self, request: GenerationRequest, route: Route) -> AsyncIterator[Generation]:
        """Have the routed model write the answer, piece by piece."""
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


class RoutePolicy(Protocol):
    """Chooses the tier of a turn."""

    def decide(self, message: str, intent: Intent, passages: int, tiers: Sequence[str]) -> Route:
        """The route, among the tiers the persona may use."""
        ...


class Model(Protocol):
    """Writes an answer."""

    def generate(self, request: GenerationRequest) -> AsyncIterator[Generation]:
        """Stream the answer; every claim of the answer carries a citation."""
        ...


class Interaction(msgspec.Struct, frozen=True, kw_only=True):
    """A finished turn as it is remembered in `agent-interactions`; `at` is ISO 8601, UTC.

    `vector` is the query's, float16 bytes, so that it need not be encoded again; empty when it is not known.
    """

    run_id: str
    conversation_id: str
    persona: str
    owner: str
    query: str
    response: str
    category: str
    sources: tuple[str, ...]
    at: str
    vector: bytes = b""


class CollectionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a collection holds and with which encoder it was made."""

    name: str
    documents: int
    chunks: int
    encoder: str
    precision: str
    updated_at: str


class Knowledge(Protocol):
    """The knowledge base."""

    async def search(self, query: SearchQuery) -> SearchResult:
        """Passages of the query's collections that exist; a collection that does not is simply empty."""
        ...

    async def recall(self, vector: Vector, persona: str, owner: str) -> tuple[Recollection, ...]:
        """Remembered questions of this persona and owner close to the vector."""
        ...

    def names(self) -> tuple[str, ...]:
        """The document collections there are."""
        ...

    async def collections(self) -> tuple[CollectionInfo, ...]:
        """Every collection with its size."""
        ...


class IngestProgress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step of an ingest: counts so far. The last one has `finished` true and the skipped files with their reasons."""

    files: int
    total: int
    chunks: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: Mapping[str, str] = {}
    finished: bool = False


class Ingestion(Protocol):
    """The administration of collections, in this process or in the running gateway."""

    def ingest(self, path: str, collection: str) -> AsyncIterator[IngestProgress]:
        """Bring a collection up to date with a file or folder."""
        ...

    async def drop(self, collection: str) -> None:
        """Remove a collection and all its chunks; `NotFound` when there is none."""
        ...

    async def collections(self) -> tuple[CollectionInfo, ...]:
        """Every collection with its size."""
        ...


class TurnRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A message to a persona. `conversation_id` continues a conversation; None starts one."""

    persona: str
    owner: str
    message: str
    conversation_id: str | None = None
    request_id: str = ""


class Runs(Protocol):
    """Durable runs and conversations, seen from the HTTP edge. Every call is bound to a persona and an owner."""

    async def start(self, request: TurnRequest) -> Run:
        """Begin a turn; it goes on when the caller goes away. `NotFound` for an unknown conversation."""
        ...

    async def get(self, run_id: str, persona: str, owner: str) -> Run:
        """The run; `NotFound` when absent or another's."""
        ...

    async def result(self, run_id: str) -> Answer:
        """Wait for the run's end; `Unavailable` when it is cut before (the gateway stops), it may then be resumed."""
        ...

    def follow(self, run_id: str, after: int = 0) -> AsyncIterator[Event]:
        """The run's events after a sequence number, stored ones first, then live, to the terminal one."""
        ...

    async def cancel(self, run_id: str, persona: str, owner: str) -> Run:
        """Stop a running turn; `Conflict` when it has ended."""
        ...

    async def resume(self, run_id: str, persona: str, owner: str) -> Run:
        """Run an interrupted turn again under its id; `Conflict` when it is not interrupted."""
        ...

    async def conversations(self, persona: str, owner: str, limit: int, before: str) -> Sequence[ConversationSummary]:
        """Newest first; `before` is an `updated_at` to page on, empty for the first page."""
        ...

    async def conversation(self, conversation_id: str, persona: str, owner: str) -> Conversation:
        """The conversation with its turns; `NotFound` when absent or another's."""
        ...

    async def delete(self, conversation_id: str, persona: str, owner: str) -> None:
        """Forget the conversation, its runs, events and remembered interactions."""
        ...


Emit: TypeAlias = Callable[[EventData], Awaitable[None]]


class Agent(Protocol):
    """A persona wired to its graph."""

    async def run(self, run: Run, history: tuple[Exchange, ...], emit: Emit) -> Answer:
        """One turn, from message to answer; raises `GatewayError` when a stage fails."""
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
