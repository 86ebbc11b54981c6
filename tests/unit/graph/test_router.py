from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest
from structlog.testing import capture_logs
from tests.unit.graph.parts import THRESHOLDS, WEIGHTS, an_intent

from agent_gateway.config import RouteSettings
from agent_gateway.errors import ModelFailed
from agent_gateway.graph.documented_routing import DocumentedRoutePolicy
from agent_gateway.graph.policies import make_policies, make_router
from agent_gateway.graph.router import FLOOR, Router
from agent_gateway.interfaces import CompletionPiece, CompletionTask, RouteCase, RouteChoice, Standing
from agent_gateway.messages import Route, Tier
from agent_gateway.persona import MODEL_TIERS, Persona

POLICY = DocumentedRoutePolicy(WEIGHTS, THRESHOLDS)
HARD = an_intent(reasoning_depth=3, accuracy_requirement=2)
FALLBACKS: Mapping[Tier, tuple[Tier, ...]] = {
    "small": ("medium", "large"),
    "medium": ("small", "large"),
    "large": ("medium", "small"),
}
SENTENCES = "so the answer is made of sentences from the documents"
LARGE_DOWN = "the large tier cannot answer: lab/large refused the connection"
MEDIUM_DOWN = "the medium tier cannot answer: lab/medium refused the connection"
NO_LARGE = "no model is configured for the large tier"
MAY_USE = "which this persona may not use (it may use:"
UP: Mapping[Tier, Standing] = {tier: Standing(up=True, model=f"lab/{tier}") for tier in MODEL_TIERS}


class Standings:
    """Completions that are up or down as told; a router asks them for nothing else."""

    def __init__(self, standings: Mapping[Tier, Standing]) -> None:
        self.standings = standings
        self.asked: list[str] = []

    def standing(self, persona: Persona) -> Mapping[Tier, Standing]:
        self.asked.append(persona.id)
        return self.standings

    def fallbacks(self, tier: Tier) -> tuple[Tier, ...]:
        return FALLBACKS[tier]

    async def stream(self, task: CompletionTask) -> AsyncIterator[CompletionPiece]:
        for piece in tuple[CompletionPiece, ...]():
            yield piece
        raise ModelFailed(f"nothing is to be asked of {task.tier}")


class Wanting:
    """A policy that always wants the same tier."""

    name = "wanting"

    def __init__(self, tier: Tier) -> None:
        self._tier = tier

    def decide(self, case: RouteCase) -> RouteChoice:
        del case
        return RouteChoice(tier=self._tier, score=1.5, parts={"whim": 1.5}, reason=f"a whim for {self._tier}")


def route(standings: Mapping[Tier, Standing] | None, tiers: tuple[Tier, ...] = MODEL_TIERS, words: int = 12) -> Route:
    """The route of a question that calls for the large tier."""
    persona = Persona(id="nora", title="Nora", prompt="x", tiers=tiers)
    case = RouteCase(message="word " * words, intent=HARD, passages=0, evidence=0.0, tiers=tiers)
    return Router(POLICY, Standings(standings or {})).route(case, persona)


def down(*tiers: Tier) -> Mapping[Tier, Standing]:
    return {**UP, **{tier: Standing(up=False, why=f"lab/{tier} refused the connection") for tier in tiers}}


def test_the_tier_that_is_called_for_answers_when_it_is_up() -> None:
    found = route(UP)
    assert (found.tier, found.model, found.score) == ("large", "lab/large", 13.2)
    assert found.reason == "score 13.2 calls for the large tier"
    assert sum(found.parts.values()) == pytest.approx(found.score)


@pytest.mark.parametrize(
    ("found", "tier", "reason"),
    [
        (route(None), FLOOR, f"; no model is configured, {SENTENCES}"),
        (route({}), FLOOR, f"; no model is configured, {SENTENCES}"),
        (route(down("large")), "medium", f"; {LARGE_DOWN}, so the medium tier answers"),
        (route(down("large", "medium")), "small", f"; {LARGE_DOWN}; {MEDIUM_DOWN}, so the small tier answers"),
        (route({"large": down("large")["large"]}), FLOOR, f"; {LARGE_DOWN}, {SENTENCES}"),
        (route({"small": UP["small"]}), "small", f"; {NO_LARGE}, so the small tier answers"),
        (route(UP, ("small", "medium")), "medium", f", {MAY_USE} small, medium), so the medium tier answers"),
        (route(down("medium"), ("medium",)), FLOOR, f", {MAY_USE} medium); {MEDIUM_DOWN}, {SENTENCES}"),
        (route(None, ("small",)), FLOOR, f", {MAY_USE} small); no model is configured, {SENTENCES}"),
        (route(UP, ()), FLOOR, f", {MAY_USE} none), {SENTENCES}"),
    ],
)
def test_the_reason_says_which_tier_answers_instead_and_why(found: Route, tier: str, reason: str) -> None:
    assert found.reason == f"score 13.2 calls for the large tier{reason}"
    assert found.tier == tier
    assert found.model == (FLOOR if tier == FLOOR else f"lab/{tier}")


def test_a_tier_the_persona_may_not_use_never_answers() -> None:
    assert route(down("small"), ("small",)).tier == FLOOR
    assert route(down("medium", "small"), ("medium", "large")).tier == "large"


def test_the_standing_is_that_of_the_persona_who_asks() -> None:
    completions = Standings(UP)
    router = Router(POLICY, completions)
    case = RouteCase(message="a", intent=HARD, passages=0, evidence=0.0, tiers=MODEL_TIERS)
    router.route(case, Persona(id="jamie", title="Jamie", prompt="x"))
    assert completions.asked == ["jamie"]


def test_a_policy_may_want_the_floor() -> None:
    case = RouteCase(message="a", intent=HARD, passages=0, evidence=0.0, tiers=MODEL_TIERS)
    found = Router(Wanting(FLOOR), Standings(UP)).route(case, Persona(id="nora", title="Nora", prompt="x"))
    assert (found.tier, found.model, found.reason) == (FLOOR, FLOOR, "a whim for extractive")


def test_a_shadow_is_logged_and_changes_nothing() -> None:
    case = RouteCase(message="word " * 12, intent=HARD, passages=0, evidence=0.0, tiers=MODEL_TIERS)
    persona = Persona(id="nora", title="Nora", prompt="x")
    with capture_logs() as logs:
        alone = Router(POLICY, Standings(UP)).route(case, persona)
        assert logs == []
        assert Router(POLICY, Standings(UP), shadow=Wanting("small")).route(case, persona) == alone
    (line,) = logs
    assert line["event"] == "route_shadow"
    assert (line["policy"], line["tier"], line["score"]) == ("documented", "large", 13.2)
    assert (line["shadow"], line["shadow_tier"], line["shadow_score"]) == ("wanting", "small", 1.5)
    assert "word" not in str(line)


@pytest.mark.parametrize(("policy", "other"), [("documented", "calibrated"), ("calibrated", "documented")])
def test_the_settings_name_the_policy_and_the_shadow_is_the_other_one(policy: str, other: str) -> None:
    settings = RouteSettings.model_validate({"policy": policy})
    assert [each.name for each in make_policies(settings)] == [policy, other]
    plain = make_router(settings, Standings({}))
    assert (plain.policy.name, plain.shadow) == (policy, None)
    shadowed = make_router(RouteSettings.model_validate({"policy": policy, "shadow": True}), Standings({}))
    assert shadowed.shadow is not None
    assert (shadowed.policy.name, shadowed.shadow.name) == (policy, other)


def test_the_documented_policy_of_the_settings_has_their_weights() -> None:
    settings = RouteSettings.model_validate({"weights": {"words": 7}, "thresholds": {"medium": 6, "large": 7}})
    case = RouteCase(message="one", intent=an_intent(accuracy_requirement=0), passages=0, evidence=0.0, tiers=())
    assert make_router(settings, Standings({})).policy.decide(case).tier == "large"


@pytest.mark.parametrize(
    ("standings", "notice"),
    [
        (UP, ""),
        ({}, ""),
        ({"small": UP["small"]}, ""),
        (
            {**UP, "large": Standing(up=False, why="lab/large refused the connection")},
            f"T{LARGE_DOWN[1:]}, so the medium tier answers.",
        ),
        (
            {"large": Standing(up=False, why="lab/large refused the connection")},
            f"T{LARGE_DOWN[1:]}, {SENTENCES}.",
        ),
    ],
)
def test_the_user_is_told_of_a_tier_that_should_answer_and_cannot(
    standings: Mapping[Tier, Standing], notice: str
) -> None:
    case = RouteCase(message="a", intent=HARD, passages=5, evidence=0.9, tiers=MODEL_TIERS)
    route = Router(POLICY, Standings(standings)).route(case, Persona(id="nora", title="N", prompt="P"))
    assert route.notice == notice
