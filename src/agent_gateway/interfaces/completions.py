"""The tiers and their models, as the turn uses them: one call, answered by whichever model can."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

import msgspec

from agent_gateway.completion import Finish, ModelInfo, RequestBuilder, ToolRequest, Usage
from agent_gateway.messages import Tier
from agent_gateway.persona import Persona


class CompletionTask(msgspec.Struct, frozen=True, kw_only=True):
    """One call to a tier. `stage` and `run_id` are for the ledger, `owner` for a fair turn in the queue.

    `build` makes the request for each model that is tried. `deadline` is on the event loop's clock. `retry`: the same
    model may be asked again before its first piece. `fall`: another tier of the persona's may answer.
    """

    persona: Persona
    owner: str
    run_id: str
    stage: str
    tier: Tier
    build: RequestBuilder
    deadline: float
    retry: bool = True
    fall: bool = True


class CompletionPiece(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A piece of the answer.

    The first one has `model`, who answers, and `notices`: why it is not the model that was asked for, one sentence for
    each that could not. The last one has `finish`, all `tool_requests`, and the `usage` of the call with its cost.
    """

    text: str = ""
    model: ModelInfo | None = None
    notices: tuple[str, ...] = ()
    finish: Finish | None = None
    tool_requests: tuple[ToolRequest, ...] = ()
    usage: Usage | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a tier can be asked now: its first model that can, or `why` none can (one clause)."""

    up: bool
    model: str = ""
    why: str = ""


class ModelReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `doctor` found at one address. `models` are those its server lists; `ms` is how long it took to say so.

    `state`: `ok`, `missing` (the server answers but does not have the model), `refused` (key), `down`, `unknown` (its
    provider was not asked, which might cost something).
    """

    tier: Tier
    model: str
    address: str
    state: str
    detail: str = ""
    models: tuple[str, ...] = ()
    ms: float = 0.0


class Completions(Protocol):
    """All configured models."""

    def stream(self, task: CompletionTask) -> AsyncIterator[CompletionPiece]:
        """Ask the task's tier, then others as `task` allows, until one gives its first piece.

        `ModelFailed` with code `no_model_available` when none does, before anything was yielded, and with another code
        when the model that speaks fails in mid-answer or the deadline passes. Never waits beyond the deadline.
        """
        ...

    def standing(self, persona: Persona) -> Mapping[Tier, Standing]:
        """The model tiers and whether this persona can ask them now, its budget included; never waits."""
        ...

    def fallbacks(self, tier: Tier) -> tuple[Tier, ...]:
        """Where to go, in order, when a tier cannot answer."""
        ...


class ModelUse(msgspec.Struct, frozen=True, kw_only=True):
    """One model call as the ledger keeps it; `at` is ISO 8601, UTC, costs are USD, `ms` includes the queue.

    `large_cost`: what the large tier's first model would have cost for the same tokens. `outcome`: `ok`, or the code
    of what went wrong.
    """

    run_id: str
    persona: str
    stage: str
    tier: Tier
    model: str
    prompt_tokens: int
    completion_tokens: int
    estimated: bool
    cost: float
    large_cost: float
    ms: float
    outcome: str
    at: str


class Ledger(Protocol):
    """Keeps what models were used for and what it cost."""

    def record(self, use: ModelUse) -> None:
        """Keep a call; does not wait until it is stored."""
        ...

    def spent(self, persona: str) -> float:
        """What a persona's models have cost today (UTC), in USD."""
        ...
