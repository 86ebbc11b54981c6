from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.graph.parts import an_intent

import agent_gateway
from agent_gateway.graph.calibrated_routing import (
    COUNTED_WORDS,
    CalibratedRoutePolicy,
    describe_case,
    load_weights,
)
from agent_gateway.graph.intent_head import PACKAGED_HEAD
from agent_gateway.interfaces import Failure, RouteCase, RouteChoice
from agent_gateway.messages import Tier
from agent_gateway.persona import MODEL_TIERS

POLICY = CalibratedRoutePolicy(load_weights())
FAILURES: tuple[Failure, ...] = ("bad_tool_call", "empty_answer", "low_evidence")
TIER_SETS = [(), *[(tier,) for tier in MODEL_TIERS], ("small", "medium"), ("small", "large"), MODEL_TIERS]

EASY = an_intent("chat", complexity="low", reasoning_depth=0, accuracy_requirement=0)
MIDDLING = an_intent("train", complexity="medium", reasoning_depth=1, accuracy_requirement=2)
HARD = an_intent("troubleshoot", complexity="high", reasoning_depth=3, accuracy_requirement=2)
LONG = "why did checkout fail after the upgrade of last night while payments went on, and what else depends on it " * 2


def a_case(message: str = "hello there", **changes: Any) -> RouteCase:
    given: dict[str, Any] = {"intent": EASY, "passages": 3, "evidence": 0.9, "tiers": MODEL_TIERS, **changes}
    return RouteCase(message=message, **given)


def decide(message: str = "hello there", **changes: Any) -> RouteChoice:
    return POLICY.decide(a_case(message, **changes))


intents = st.builds(
    an_intent,
    st.sampled_from(["deploy", "query", "troubleshoot", "analyze", "train", "chat", "of_a_plugin"]),
    complexity=st.sampled_from(["low", "medium", "high"]),
    reasoning_depth=st.integers(0, 3),
    accuracy_requirement=st.integers(0, 2),
    confidence=st.floats(0, 1),
)
cases = st.builds(
    RouteCase,
    message=st.integers(0, 400).map(lambda count: "word " * count),
    intent=intents,
    passages=st.integers(0, 5),
    evidence=st.floats(0, 1),
    tiers=st.sampled_from(TIER_SETS),
    previous=st.sampled_from([None, "extractive", *MODEL_TIERS]),
    step=st.sampled_from(["plan", "tool", "conclude"]),
    failures=st.lists(st.sampled_from(FAILURES), max_size=4).map(tuple),
)


@given(cases)
def test_the_score_is_the_sum_of_its_parts_and_the_tier_is_one_that_may_be_used(case: RouteCase) -> None:
    choice = POLICY.decide(case)
    assert choice.score == pytest.approx(sum(choice.parts.values()), abs=1e-6)
    assert choice.tier in (case.tiers or MODEL_TIERS)
    assert choice.reason.startswith(f"difficulty {choice.score:.2f} ")
    assert f"the {choice.tier} " in choice.reason
    assert POLICY.decide(case) == choice


@given(st.floats(-5, 5), st.floats(-5, 5))
def test_a_harder_turn_needs_a_larger_tier_more_probably(first: float, second: float) -> None:
    easier, harder = sorted((first, second))
    for below, above in zip(POLICY.probabilities(easier), POLICY.probabilities(harder), strict=True):
        assert 0 <= below <= above <= 1
    medium, large = POLICY.probabilities(first)
    assert large <= medium


def test_half_way_between_two_tiers_either_is_as_likely() -> None:
    assert POLICY.probabilities(0.5)[0] == pytest.approx(0.5)
    assert POLICY.probabilities(1.5)[1] == pytest.approx(0.5)


def test_harder_questions_go_to_larger_tiers() -> None:
    assert decide("hi").tier == "small"
    assert decide("train the churn model again with the data of june", intent=MIDDLING).tier == "medium"
    assert decide(LONG, intent=HARD).tier == "large"


@given(st.floats(-1, 3))
def test_the_choice_has_the_least_expected_cost(offset: float) -> None:
    weights = msgspec.structs.replace(load_weights(), offset=offset, weights={})
    policy = CalibratedRoutePolicy(weights)
    choice = policy.decide(a_case())
    medium, large = policy.probabilities(choice.score)
    needs = dict(zip(MODEL_TIERS, (1 - medium, medium - large, large), strict=True))
    costs = {tier: sum(share * policy.cost(need, tier) for need, share in needs.items()) for tier in MODEL_TIERS}
    assert costs[choice.tier] == pytest.approx(min(costs.values()))


def test_a_model_too_small_costs_more_than_one_too_large() -> None:
    assert POLICY.cost("large", "small") > POLICY.cost("small", "large") > 0
    assert POLICY.cost("medium", "medium") == 0
    assert POLICY.cost("large", "small") == 2 * POLICY.cost("large", "medium")


def test_the_reason_names_what_would_be_better_than_the_persona_may_use() -> None:
    choice = decide(LONG, intent=HARD, tiers=("small", "medium"))
    assert choice.tier == "medium"
    assert "calls for the large tier" in choice.reason
    assert "of those this persona may use (small, medium) the medium one fits best" in choice.reason
    assert decide(LONG, intent=HARD, tiers=()).tier == "large"


@pytest.mark.parametrize(
    ("previous", "tiers", "tier"),
    [
        ("large", MODEL_TIERS, "large"),
        ("medium", MODEL_TIERS, "medium"),
        ("small", MODEL_TIERS, "small"),
        ("extractive", MODEL_TIERS, "small"),
        (None, MODEL_TIERS, "small"),
        ("large", ("small", "medium"), "medium"),
        ("medium", ("small", "large"), "large"),
        ("large", ("small",), "small"),
    ],
)
def test_a_message_that_continues_stays_with_the_tier_before(
    previous: Tier | None, tiers: tuple[Tier, ...], tier: Tier
) -> None:
    choice = decide("and then?", previous=previous, tiers=tiers)
    assert choice.tier == tier
    assert ("continues a turn" in choice.reason) == (tier != "small")


def test_a_continued_turn_may_go_up() -> None:
    assert decide(LONG, intent=HARD, previous="small").tier == "large"


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_failures_raise_the_tier_once_whatever_their_number(failure: Failure, count: int) -> None:
    assert decide().tier == "small"
    choice = decide(failures=(failure,) * count)
    assert choice.tier == "medium"
    assert "so it is raised to the medium tier" in choice.reason


def test_the_tier_is_raised_among_those_of_the_persona() -> None:
    assert decide(tiers=("small", "large"), failures=("empty_answer",)).tier == "large"
    choice = decide(tiers=("small",), failures=("empty_answer",))
    assert choice.tier == "small"
    assert "an answer was empty, but there is no larger tier" in choice.reason


def test_the_reason_names_the_last_failure() -> None:
    assert "a tool call could not be used" in decide(failures=("low_evidence", "bad_tool_call")).reason
    assert "the documents hardly answer this" in decide(failures=("bad_tool_call", "low_evidence")).reason


def test_passages_that_hardly_answer_raise_the_tier_once() -> None:
    weak, enough = load_weights().evidence - 0.01, load_weights().evidence
    assert decide(evidence=weak).tier == "medium"
    assert "the documents hardly answer this" in decide(evidence=weak).reason
    assert decide(evidence=enough).tier == "small"
    assert decide(evidence=weak, failures=("low_evidence", "empty_answer")).tier == "medium"
    # A persona's own retrieve need not say how good its passages are.
    assert decide(evidence=0.0).tier == "small"


def test_a_demanding_question_without_documents_raises_the_tier() -> None:
    weights = msgspec.structs.replace(load_weights(), offset=0.0, weights={})
    policy = CalibratedRoutePolicy(weights)
    demanding = an_intent("troubleshoot", reasoning_depth=weights.depth)
    raised = policy.decide(a_case(intent=demanding, passages=0, evidence=0.1))
    assert (raised.tier, "no document answers a demanding question" in raised.reason) == ("medium", True)
    assert policy.decide(a_case(intent=demanding, passages=1, evidence=0.9)).tier == "small"
    simple = an_intent("troubleshoot", reasoning_depth=weights.depth - 1)
    assert policy.decide(a_case(intent=simple, passages=0, evidence=0.1)).tier == "small"
    talk = an_intent("chat", reasoning_depth=weights.depth)
    assert policy.decide(a_case(intent=talk, passages=0, evidence=0.0)).tier == "small"


def test_a_further_tool_call_needs_no_more_than_medium_unless_something_failed() -> None:
    assert decide(LONG, intent=HARD, step="plan").tier == "large"
    assert decide(LONG, intent=HARD, step="conclude").tier == "large"
    choice = decide(LONG, intent=HARD, step="tool")
    assert choice.tier == "medium"
    assert "but the medium tier is enough for a further tool call" in choice.reason
    assert decide(LONG, intent=HARD, step="tool", failures=("bad_tool_call",)).tier == "large"
    assert decide(LONG, intent=HARD, step="tool", tiers=("large",)).tier == "large"
    assert decide(LONG, intent=HARD, step="tool", tiers=("small", "large")).tier == "small"
    assert decide("hi", step="tool").tier == "small"


def test_a_pasted_page_is_no_harder_than_a_long_message() -> None:
    assert decide("word " * COUNTED_WORDS).score == decide("word " * 100 * COUNTED_WORDS).score
    assert decide("word").score < decide("word " * COUNTED_WORDS).score


def test_an_intent_of_a_plugin_is_routed_by_what_else_is_known() -> None:
    choice = decide(LONG, intent=an_intent("of_a_plugin", complexity="high", reasoning_depth=3))
    assert choice.parts["category"] == 0.0
    assert choice.tier != "small"


def test_features_are_finite_for_any_message() -> None:
    found = describe_case(a_case("", intent=an_intent(confidence=0.0), evidence=0.0, passages=0))
    assert all(math.isfinite(value) for value in found.values())
    assert found["words"] == 0.0


def test_the_packaged_weights_were_fitted_on_the_examples_of_the_packaged_head() -> None:
    with np.load(Path(agent_gateway.__file__).parent / PACKAGED_HEAD) as head:
        assert load_weights().digest == str(head["digest"]), "run python -m benchmarks.fit_routing"


def test_an_unknown_key_in_the_weights_is_an_error() -> None:
    document = msgspec.json.encode({**msgspec.to_builtins(load_weights()), "bias": 1})
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(document, type=type(load_weights()))
