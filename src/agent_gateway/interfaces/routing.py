"""Which tier is to answer: what a routing policy is told, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias

import msgspec

from agent_gateway.intent import Intent
from agent_gateway.interfaces.completions import Standing
from agent_gateway.messages import Route, Tier

#: What the model is wanted for: the first proposal, a further tool call, or the answer after tools.
Step: TypeAlias = Literal["plan", "tool", "conclude"]
#: What went wrong in this turn, or, for `low_evidence`, what retrieve did not find.
Failure: TypeAlias = Literal["bad_tool_call", "empty_answer", "low_evidence"]


class RouteCase(msgspec.Struct, frozen=True, kw_only=True):
    """What a routing policy decides on.

    `passages`: how many were kept; `evidence`: the best one's probability to answer, 0 when there is none. `previous`:
    the tier that answered the turn before, when this message continues it. `failures`: of this turn, oldest first.
    """

    message: str
    intent: Intent
    passages: int
    evidence: float
    tiers: tuple[Tier, ...]
    previous: Tier | None = None
    step: Step = "plan"
    failures: tuple[Failure, ...] = ()


class RouteChoice(msgspec.Struct, frozen=True, kw_only=True):
    """The tier a policy wants, whether or not it is up: the sum of `parts` is `score`, `reason` is a clause."""

    tier: Tier
    score: float
    parts: dict[str, float]
    reason: str


class RoutePolicy(Protocol):
    """Chooses a tier among `case.tiers`, or one that is not there when none of them fits."""

    @property
    def name(self) -> str:
        """As the settings call it."""
        ...

    def decide(self, case: RouteCase) -> RouteChoice:
        """The tier for a step of a turn; never waits."""
        ...


class RouteExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """One decision that was made and not carried out.

    `passages` were kept of the `collections`; the best one answers with probability `evidence`. `policy` wants `choice`
    and the turn would take `route`; `other_policy` would want `other`. Both choices are absent when a persona routes in
    its own way. `standings` are the tiers that have models, and whether they can be asked now.
    """

    persona: str
    message: str
    intent: Intent
    collections: tuple[str, ...]
    passages: int
    evidence: float
    policy: str
    choice: RouteChoice | None
    route: Route
    other_policy: str
    other: RouteChoice | None
    standings: Mapping[Tier, Standing]
