from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.graph.parts import THRESHOLDS, WEIGHTS, an_intent

from agent_gateway.graph.documented_routing import COUNTED_PASSAGES, DocumentedRoutePolicy
from agent_gateway.interfaces import RouteCase, RouteChoice
from agent_gateway.persona import MODEL_TIERS

POLICY = DocumentedRoutePolicy(WEIGHTS, THRESHOLDS)


def decide(words: int = 0, depth: int = 0, passages: int = 0, accuracy: int = 0) -> RouteChoice:
    intent = an_intent(reasoning_depth=depth, accuracy_requirement=accuracy)
    return POLICY.decide(a_case("word " * words, passages=passages, intent=intent))


def a_case(message: str = "a", passages: int = 0, **changes: object) -> RouteCase:
    given: dict[str, object] = {"intent": an_intent(), "evidence": 0.0, "tiers": MODEL_TIERS, **changes}
    return RouteCase(message=message, passages=passages, **given)  # type: ignore[arg-type]  # whatever a test changes


@given(
    words=st.integers(0, 200), depth=st.integers(0, 3), passages=st.integers(0, 20), accuracy=st.integers(0, 2)
)  # fmt: skip
def test_the_score_is_the_documented_one(words: int, depth: int, passages: int, accuracy: int) -> None:
    choice = decide(words, depth, passages, accuracy)
    assert choice.score == pytest.approx(0.1 * words + 2 * depth + 0.5 * min(passages, 5) + 3 * accuracy)
    assert sum(choice.parts.values()) == pytest.approx(choice.score)
    assert set(choice.parts) == {"words", "reasoning_depth", "passages", "accuracy_requirement"}
    assert choice.tier == ("small" if choice.score < 5 else "medium" if choice.score < 10 else "large")
    assert choice.reason == f"score {choice.score:g} calls for the {choice.tier} tier"


@pytest.mark.parametrize(
    ("choice", "tier"),
    [
        (decide(words=19, accuracy=1), "small"),
        (decide(words=20, accuracy=1), "medium"),
        (decide(words=9, depth=3, accuracy=1), "medium"),
        (decide(words=10, depth=3, accuracy=1), "large"),
    ],
)
def test_a_threshold_belongs_to_the_tier_above(choice: RouteChoice, tier: str) -> None:
    assert choice.tier == tier


def test_passages_beyond_the_fifth_do_not_count() -> None:
    assert decide(passages=COUNTED_PASSAGES + 15) == decide(passages=COUNTED_PASSAGES)
    assert decide(passages=COUNTED_PASSAGES - 1).score < decide(passages=COUNTED_PASSAGES).score


def test_what_the_persona_may_use_does_not_change_what_is_called_for() -> None:
    intent = an_intent(reasoning_depth=3, accuracy_requirement=2)
    assert POLICY.decide(a_case(intent=intent, tiers=("small",))).tier == "large"


def test_weights_and_thresholds_are_configuration() -> None:
    policy = DocumentedRoutePolicy({**WEIGHTS, "words": 7.0}, {"medium": 1.0, "large": 7.0})
    choice = policy.decide(a_case("one", intent=an_intent(accuracy_requirement=0)))
    assert (choice.score, choice.parts["words"], choice.tier) == (7.0, 7.0, "large")
