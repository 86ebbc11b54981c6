"""What goes in and comes out of a turn: passages, citations, the route, the answer, and the stored conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from agent_gateway.intent import Intent

Status = Literal["completed", "waiting", "failed", "cancelled"]
RunStatus = Literal["running", "interrupted", "completed", "waiting", "failed", "cancelled"]
ModelKind = Literal["slm", "llm", "extractive"]
Tier = Literal["small", "medium", "large", "extractive"]
#: What a caller may do: `viewer` reads and asks, `operator` also has changes made, `approver` decides on approvals.
Role = Literal["viewer", "operator", "approver"]
ROLES: tuple[Role, ...] = ("viewer", "operator", "approver")

#: What an answer calls the model of a tier.
MODEL_KINDS: Mapping[Tier, ModelKind] = {"small": "slm", "medium": "slm", "large": "llm", "extractive": "extractive"}


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error as the user sees it: stable `code`, one sentence, and what to do about it."""

    code: str
    detail: str
    hint: str = ""


class Citation(msgspec.Struct, frozen=True, kw_only=True):
    """The source of a claim: `[n]` in the answer. `chunk` counts from 0 within `source`; `score` is 0 to 1."""

    n: int
    source: str
    title: str
    chunk: int
    score: float


class Recollection(msgspec.Struct, frozen=True, kw_only=True):
    """A similar question that was asked before, and the documents its answer cited; never a source by itself.

    `run_id` is the run that answered it, `asked_at` an ISO 8601 time in UTC, `score` the cosine of both questions.
    """

    question: str
    run_id: str
    asked_at: str
    sources: tuple[str, ...]
    score: float


class Route(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which tier and model answer, and why. `parts` are the summands of `score` by name.

    `notice`: a sentence for the user when a tier that has models was passed over because it cannot answer now.
    """

    tier: Tier
    model: str
    score: float
    parts: dict[str, float]
    reason: str
    notice: str = ""


class ToolUse(msgspec.Struct, frozen=True, kw_only=True):
    """One tool call of a turn and how it ended: `ok`, `failed` or `refused`, after `ms` milliseconds."""

    id: str
    name: str
    arguments: dict[str, Any]
    status: str
    ms: float


class PendingApproval(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that a turn waits for; `expires_at` is ISO 8601, UTC."""

    id: str
    tool: str
    summary: str
    expires_at: str


class TurnUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of the calls that wrote an answer, and their cost in USD; `estimated` when a server did not count them."""

    prompt_tokens: int
    completion_tokens: int
    cost: float
    estimated: bool = False


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a turn, as `POST /v1/chat` returns it and the `done` event carries it. Times are milliseconds.

    `usage` is absent when no model was asked. `notices` are sentences for the user about how the answer came to be.
    `approvals` is what a turn with status `waiting` waits for.
    """

    response: str
    model: ModelKind
    context_used: int
    latency_ms: float
    conversation_id: str
    run_id: str
    status: Status
    intent: Intent | None = None
    route: Route | None = None
    citations: tuple[Citation, ...] = ()
    tool_calls: tuple[ToolUse, ...] = ()
    asked_before: tuple[Recollection, ...] = ()
    usage: TurnUsage | None = None
    notices: tuple[str, ...] = ()
    approvals: tuple[PendingApproval, ...] = ()
    error: Problem | None = None


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One earlier turn of a conversation, oldest first when in a sequence. `tier` is the one that answered."""

    message: str
    response: str
    tier: Tier | None = None


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One stored turn: the user's message and, once there is one, its answer. Times are ISO 8601, UTC."""

    run_id: str
    message: str
    status: RunStatus
    created_at: str
    answer: Answer | None = None


class ConversationSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list of conversations; `title` is the start of the first message."""

    id: str
    title: str
    turns: int
    created_at: str
    updated_at: str


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation with its turns in order."""

    id: str
    persona: str
    title: str
    created_at: str
    updated_at: str
    turns: tuple[Turn, ...]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One durable execution of a turn. `attempts` counts its starts: above 1 it was cut and run again.

    `roles` are those of its owner when it was asked for.
    """

    id: str
    conversation_id: str
    persona: str
    owner: str
    message: str
    status: RunStatus
    attempts: int
    created_at: str
    finished_at: str | None = None
    answer: Answer | None = None
    roles: tuple[Role, ...] = ROLES
