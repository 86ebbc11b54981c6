from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.graph.parts import THRESHOLDS, WEIGHTS, an_intent

from agent_gateway.graph.routing import COUNTED_PASSAGES, DocumentedRoutePolicy
from agent_gateway.messages import Route
from agent_gateway.persona import MODEL_TIERS

POLICY = DocumentedRoutePolicy(WEIGHTS, THRESHOLDS)


def decide(words: int = 0, depth: int = 0, passages: int = 0, accuracy: int = 0) -> Route:
    intent = an_intent(reasoning_depth=depth, accuracy_requirement=accuracy)
    return POLICY.decide("word " * words, intent, passages, MODEL_TIERS)


@given(
    words=st.integers(0, 200), depth=st.integers(0, 3), passages=st.integers(0, 20), accuracy=st.integers(0, 2)
)  # fmt: skip
def test_the_score_is_the_documented_one(words: int, depth: int, passages: int, accuracy: int) -> None:
    route = decide(words, depth, passages, accuracy)
    assert route.score == pytest.approx(0.1 * words + 2 * depth + 0.5 * min(passages, 5) + 3 * accuracy)
    assert sum(route.parts.values()) == pytest.approx(route.score)
    assert set(route.parts) == {"words", "reasoning_depth", "passages", "accuracy_requirement"}
    tier = "small" if route.score < 5 else "medium" if route.score < 10 else "large"
    assert f"calls for the {tier} tier" in route.reason
    assert (route.tier, route.model) == ("extractive", "extractive")


@pytest.mark.parametrize(
    ("route", "tier"),
    [
        (decide(words=19, accuracy=1), "small"),
        (decide(words=20, accuracy=1), "medium"),
        (decide(words=9, depth=3, accuracy=1), "medium"),
        (decide(words=10, depth=3, accuracy=1), "large"),
    ],
)
def test_a_threshold_belongs_to_the_tier_above(route: Route, tier: str) -> None:
    assert f"calls for the {tier} tier" in route.reason


def test_passages_beyond_the_fifth_do_not_count() -> None:
    assert decide(passages=COUNTED_PASSAGES + 15) == decide(passages=COUNTED_PASSAGES)
    assert decide(passages=COUNTED_PASSAGES - 1).score < decide(passages=COUNTED_PASSAGES).score


def test_the_reason_names_a_tier_that_the_persona_may_not_use() -> None:
    route = POLICY.decide("a", an_intent(reasoning_depth=3, accuracy_requirement=2), 0, ("small", "medium"))
    assert "large tier, which this persona may not use (it may use: small, medium)" in route.reason
    assert "it may use: none" in POLICY.decide("a", an_intent(), 0, ()).reason
    assert "may not use" not in decide().reason


def test_weights_and_thresholds_are_configuration() -> None:
    policy = DocumentedRoutePolicy({**WEIGHTS, "words": 7.0}, {"medium": 1.0, "large": 7.0})
    route = policy.decide("one", an_intent(accuracy_requirement=0), 0, MODEL_TIERS)
    assert (route.score, route.parts["words"]) == (7.0, 7.0)
    assert "calls for the large tier" in route.reason
