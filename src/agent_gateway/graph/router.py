"""From the tier a policy wants to the tier that answers: the persona's tiers, what is up, and at last the floor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from agent_gateway.interfaces import Completions, RouteCase, RouteChoice, RoutePolicy, Standing
from agent_gateway.messages import Route, Tier
from agent_gateway.persona import Persona

FLOOR: Tier = "extractive"
NO_MODEL = "no model is configured"
_FLOOR_ANSWERS = "so the answer is made of sentences from the documents"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Router:
    """Decides with `policy`; what `shadow` would have chosen is logged and changes nothing.

    While there is no model at all, every turn goes to the floor.
    """

    policy: RoutePolicy
    completions: Completions
    shadow: RoutePolicy | None = None

    def route(self, case: RouteCase, persona: Persona) -> Route:
        """The route of one step of a turn, with the reason in one sentence."""
        choice = self.policy.decide(case)
        standings = self.standings(persona)
        tier, why, notice = self._settle(choice.tier, case.tiers, standings)
        self._log_shadow(case, choice)
        model = standings[tier].model if tier in standings else FLOOR
        reason = f"{choice.reason}{why}"
        return Route(tier=tier, model=model, score=choice.score, parts=choice.parts, reason=reason, notice=notice)

    def standings(self, persona: Persona) -> Mapping[Tier, Standing]:
        """The tiers that have models, and whether this persona can ask them now."""
        return self.completions.standing(persona)

    def _settle(
        self, wanted: Tier, allowed: tuple[Tier, ...], standings: Mapping[Tier, Standing]
    ) -> tuple[Tier, str, str]:
        """The tier that answers, why it is another one than was wanted, and what the user is told of failing ones."""
        if wanted == FLOOR:
            return FLOOR, "", ""
        clauses: list[str] = []
        down: list[str] = []
        others = self.completions.fallbacks(wanted)
        for tier in dict.fromkeys((wanted, *others)):
            standing = standings.get(tier)
            if tier not in allowed or standing is None:
                clauses += _excuse(tier, allowed, standings) if tier == wanted else []
            elif standing.up:
                answers = f"so the {tier} tier answers"
                clauses += [answers] if tier != wanted else []
                return tier, _joined(clauses), _sentence(down, answers)
            else:
                down.append(f"the {tier} tier cannot answer: {standing.why}")
                clauses.append(down[-1])
        if not standings and NO_MODEL not in clauses:
            clauses.append(NO_MODEL)
        return FLOOR, _joined([*clauses, _FLOOR_ANSWERS]), _sentence(down, _FLOOR_ANSWERS)

    def _log_shadow(self, case: RouteCase, choice: RouteChoice) -> None:
        if self.shadow is None:
            return
        other = self.shadow.decide(case)
        log.info(
            "route_shadow",
            policy=self.policy.name,
            tier=choice.tier,
            score=choice.score,
            shadow=self.shadow.name,
            shadow_tier=other.tier,
            shadow_score=other.score,
            shadow_reason=other.reason,
        )


def _excuse(tier: Tier, allowed: tuple[Tier, ...], standings: Mapping[Tier, Standing]) -> list[str]:
    """Why the tier that was wanted is not even looked at."""
    if tier not in allowed:
        return [f"which this persona may not use (it may use: {', '.join(allowed) or 'none'})"]
    return [f"no model is configured for the {tier} tier" if standings else NO_MODEL]


def _sentence(down: list[str], answers: str) -> str:
    """What the user is told; nothing when no model failed."""
    if not down:
        return ""
    text = f"{'; '.join(down)}, {answers}."
    return text[:1].upper() + text[1:]


def _joined(clauses: list[str]) -> str:
    return "".join(f"{', ' if clause.startswith(('which', 'so ')) else '; '}{clause}" for clause in clauses)
