from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from tests.unit.models.fake_models import (
    CUT,
    END,
    FOREVER,
    LARGE,
    MEDIUM,
    NORA,
    REFUSED,
    SMALL,
    FakeModel,
    House,
    fail,
    failing,
    one,
    text_of,
    with_timeouts,
)

from agent_gateway.completion import (
    CompletionChunk,
    ModelSpec,
    Price,
    Usage,
)
from agent_gateway.interfaces import Standing
from agent_gateway.models.pricing import cost_of


async def test_the_asked_tier_answers_with_who_speaks_first_and_usage_last() -> None:
    priced = msgspec.structs.replace(SMALL, price=Price(input=1.0, output=2.0))
    house = House({"small": [one(priced, ["In the ", "drawer.", END])], "large": [one(LARGE, [END])]})
    first, second, last = await house.answer()
    assert (first.text, second.text, last.text) == ("In the ", "drawer.", "")
    assert first.model is not None
    assert (first.model.model, first.model.tier, first.notices) == ("fake/small", "small", ())
    assert second.model is None
    assert last.finish == "stop"
    assert last.usage == Usage(prompt_tokens=10, completion_tokens=5, cost=20 / 1_000_000)


async def test_another_tier_answers_and_the_user_is_told() -> None:
    house = House({"large": [one(LARGE, [REFUSED])], "medium": [one(MEDIUM, ["Here.", END])]})
    first, *_ = await house.answer("large")
    assert first.model is not None
    assert first.model.tier == "medium"
    assert first.notices == (
        "The large tier did not answer (fake/large at http://large.lan: connection refused); the medium tier answers.",
    )


async def test_the_next_model_of_the_same_tier_comes_before_another_tier() -> None:
    second = msgspec.structs.replace(SMALL, model="fake/second")
    house = House({"small": [one(SMALL, [REFUSED]), one(second, ["2", END])], "medium": [one(MEDIUM, ["3", END])]})
    first, *_ = await house.answer()
    assert first.text == "2"
    assert first.notices == (
        (
            "A model of the small tier did not answer (fake/small at http://small.lan: connection refused); "
            "fake/second answers."
        ),
    )


async def test_a_persona_falls_to_its_own_tiers_only_and_not_at_all_when_told_so() -> None:
    house = House({"small": [one(SMALL, [REFUSED])], "medium": [one(MEDIUM, ["m", END])]})
    error, _ = await fail(house, persona=msgspec.structs.replace(NORA, tiers=("small", "large")))
    assert error.code == "no_model_available"
    error, _ = await fail(house, fall=False)
    assert error.code == "no_model_available"
    assert text_of(await house.answer()) == "m"


async def test_a_persona_s_own_models_take_the_tier_s_place() -> None:
    own = ModelSpec(model="fake/own")
    house = House({"small": [one(SMALL, ["theirs", END])]}, also=[one(own, ["mine", END])])
    persona = msgspec.structs.replace(NORA, models={"small": (own,)})
    assert text_of(await house.answer(persona=persona)) == "mine"
    assert text_of(await house.answer()) == "theirs"
    assert house.completions.standing(persona)["small"].model == "fake/own"


async def test_when_none_answers_each_is_named_with_its_reason() -> None:
    unfit = failing("model_context_too_long", "the request is too long", unfit=True)
    tiny = msgspec.structs.replace(MEDIUM, window=512)
    house = House({"small": [one(SMALL, [REFUSED])], "medium": [one(tiny, [unfit])]})
    error, pieces = await fail(house)
    assert pieces == []
    assert error.code == "no_model_available"
    assert error.detail == (
        "no model could answer: fake/small at http://small.lan: connection refused; "
        "fake/medium at http://medium.lan: the request is too long"
    )


async def test_a_gateway_without_models_says_so() -> None:
    house = House({})
    error, _ = await fail(house, "large")
    assert error.detail == "no model could answer: none is configured for the large tier or one that may answer instead"
    assert house.completions.standing(NORA) == {}


async def test_a_short_wish_to_be_left_alone_is_waited_for_and_a_long_one_is_kept() -> None:
    short = failing("model_rate_limited", "too many", transient=True, retry_after=0.1)
    house = House({"small": [one(SMALL, [short], ["Yes.", END])]})
    assert text_of(await house.answer()) == "Yes."
    long = failing("model_rate_limited", "too many requests", transient=True, retry_after=60.0)
    model = FakeModel([long], ["Back.", END])
    house = House({"small": [(SMALL, model)], "medium": [one(MEDIUM, ["m", END])]})
    assert text_of(await house.answer()) == "m"
    house.now += 59.0
    first, *_ = await house.answer()
    assert first.text == "m"
    assert "too many requests (59 s ago, next try in 1 s)" in first.notices[0]
    house.now += 1.1
    assert text_of(await house.answer()) == "Back."
    assert len(model.requests) == 2


async def test_a_cut_answer_is_not_continued_by_another_model_and_the_next_turn_falls_at_once() -> None:
    model = FakeModel(["In the ", CUT])
    house = House({"small": [(SMALL, model)], "medium": [one(MEDIUM, ["m", END])]})
    error, pieces = await fail(house)
    assert text_of(pieces) == "In the "
    assert error.code == "model_stream_cut"
    assert error.detail == ("fake/small at http://small.lan: stopped in mid-answer; the answer is cut in the middle")
    assert error.hint == "ask again, another model will be used"
    assert text_of(await house.answer()) == "m"
    assert len(model.requests) == 1
    cut = house.ledger.uses[0]
    assert (cut.outcome, cut.estimated) == ("model_stream_cut", True)
    assert not house.completions.standing(NORA)["small"].up


@pytest.mark.parametrize(
    ("changes", "mode"),
    [
        ({"model": "ollama_chat/llama3:8b"}, "json"),
        ({"model": "ollama/llama3:8b", "direct": True}, "native"),
        ({"model": "hosted_vllm/x"}, "native"),
        ({"model": "ollama_chat/llama3.1", "tools": "native"}, "native"),
        ({"model": "hosted_vllm/x", "tools": "none"}, "none"),
    ],
)
async def test_how_tools_are_given_depends_on_the_provider(changes: dict[str, Any], mode: str) -> None:
    first, *_ = await House({"small": [one(ModelSpec(**changes), ["x", END])]}).answer()
    assert first.model is not None
    assert first.model.tools == mode


async def test_the_deadline_ends_the_waiting_and_is_not_held_against_the_model() -> None:
    house = House({"small": [one(SMALL, [FOREVER])], "medium": [one(MEDIUM, ["m", END])]})
    error, _ = await fail(house, seconds=0.2)
    assert error.code == "no_model_available"
    assert error.detail.endswith("the deadline came after 0.2 s")
    assert house.completions.standing(NORA)["small"].up


async def test_a_model_whose_connection_cannot_be_made_is_left_alone() -> None:
    house = House({"small": [one(SMALL, ["x", END])], "medium": [one(MEDIUM, ["m", END])]})
    del house.models[SMALL]
    first, *_ = await house.answer()
    assert first.text == "m"
    assert "fake/small at http://small.lan cannot be set up" in first.notices[0]
    assert not house.completions.standing(NORA)["small"].up
    assert house.ledger.outcomes == [("fake/medium", "ok")]


async def test_a_full_model_is_left_for_the_next_one_after_a_while() -> None:
    busy = msgspec.structs.replace(with_timeouts(SMALL, queue=0.1), concurrency=1)
    house = House({"small": [one(busy, ["x", FOREVER])], "medium": [one(MEDIUM, ["m", END])]})
    taken = house.ask()
    await anext(taken)
    first, *_ = await house.answer()
    assert first.text == "m"
    assert "no place in its queue for 0.1 s" in first.notices[0]
    assert house.completions.standing(NORA)["small"].up
    await taken.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_a_persona_over_its_budget_is_answered_by_what_costs_nothing() -> None:
    priced = msgspec.structs.replace(LARGE, price=Price(input=1.0))
    house = House({"large": [one(priced, ["l", END])], "small": [one(SMALL, ["s", END])]}, spent=2.0, daily_budget=2.0)
    first, *_ = await house.answer("large")
    assert first.text == "s"
    assert "daily budget of 2.00 USD spent" in first.notices[0]
    assert house.completions.standing(NORA)["large"] == Standing(
        up=False, why="fake/large at http://large.lan: daily budget of 2.00 USD spent"
    )
    assert text_of(await house.answer("large", persona=msgspec.structs.replace(NORA, daily_budget=0.0))) == "l"
    assert text_of(await house.answer("large", persona=msgspec.structs.replace(NORA, daily_budget=2.5))) == "l"


async def test_calls_in_flight_count_against_the_budget() -> None:
    priced = msgspec.structs.replace(LARGE, price=Price(input=10.0, output=10.0), concurrency=64)
    costly = CompletionChunk(finish="stop", usage=Usage(prompt_tokens=0, completion_tokens=1000))
    model = FakeModel([0.05, "l", costly])
    house = House({"large": [(priced, model)], "small": [one(SMALL, ["s", END])]}, spent=0.965, daily_budget=1.0)
    answers = await asyncio.gather(*(house.answer("large", owner=f"owner {n}") for n in range(64)))
    assert sorted(map(text_of, answers)) == ["l"] * 3 + ["s"] * 61
    assert house.ledger.spent("nora") == pytest.approx(0.995)
    assert "daily budget of 1.00 USD may be spent by answers that are being written" in answers[-1][0].notices[0]
    # Whoever is alone may spend what is left.
    assert house.completions.standing(NORA)["large"].up
    assert text_of(await house.answer("large")) == "l"
    assert not house.completions.standing(NORA)["large"].up


async def test_a_budget_below_one_estimate_serves_one_call_at_a_time() -> None:
    priced = msgspec.structs.replace(LARGE, price=Price(output=1000.0))
    house = House({"large": [one(priced, ["l", FOREVER])], "small": [one(SMALL, ["s", END])]}, daily_budget=0.5)
    written = house.ask("large")
    assert (await anext(written)).text == "l"
    assert text_of(await house.answer("large")) == "s"
    other = msgspec.structs.replace(NORA, id="ben")
    theirs = house.ask("large", persona=other)
    assert (await anext(theirs)).text == "l"
    for each in (written, theirs):
        await each.aclose()  # type: ignore[attr-defined]  # it is a generator
    assert (await anext(house.ask("large"))).text == "l"


@pytest.mark.parametrize("error", [REFUSED, failing("model_malformed"), RuntimeError("a bug")])
async def test_what_a_failed_call_had_set_aside_is_free_again(error: Exception) -> None:
    priced = msgspec.structs.replace(LARGE, price=Price(output=1000.0))
    house = House({"large": [one(priced, [error], ["l", END])]}, daily_budget=0.5)
    await fail(house, "large")
    house.now += 60.0
    assert text_of(await house.answer("large")) == "l"


async def test_a_key_that_is_refused_shuts_the_model_for_nobody_else() -> None:
    own = msgspec.structs.replace(SMALL, key_env="NORAS_KEY")
    other = msgspec.structs.replace(SMALL, key_file="/run/secrets/key")
    long = failing("model_rate_limited", "too many", retry_after=60.0)
    house = House(
        {"small": [one(SMALL, ["Yes.", END])]},
        also=[one(own, [failing("model_unauthorized")]), one(other, [long])],
    )
    nora, ben = (msgspec.structs.replace(NORA, models={"small": (spec,)}) for spec in (own, other))
    for persona in (nora, ben):
        await fail(house, persona=persona)
        assert not house.completions.standing(persona)["small"].up
    assert text_of(await house.answer()) == "Yes."
    # The same key with other settings is the same key.
    warmer = msgspec.structs.replace(own, temperature=1.0)
    assert house.connections.of(warmer).breaker is house.connections.of(own).breaker


async def test_a_model_in_two_tiers_has_the_places_of_one() -> None:
    narrow, wide = (msgspec.structs.replace(with_timeouts(SMALL, queue=0.1), concurrency=n) for n in (2, 64))
    house = House({"large": [one(wide, ["x", FOREVER])], "small": [one(narrow, ["x", FOREVER])]})
    taken = [house.ask(tier, fall=False) for tier in ("large", "small")]
    for each in taken:
        await anext(each)
    for tier in ("large", "small"):
        error, _ = await fail(house, tier, fall=False)
        assert "no place in its queue" in error.detail
    for each in taken:
        await each.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_the_ledger_compares_with_the_large_tier() -> None:
    price = Price(input=100.0, output=300.0)
    large = msgspec.structs.replace(LARGE, price=price)
    house = House({"small": [one(SMALL, ["x", END])], "large": [one(large, [END])]})
    await house.answer()
    (use,) = house.ledger.uses
    assert (use.run_id, use.persona, use.stage, use.tier) == ("run-1", "nora", "act", "small")
    assert (use.prompt_tokens, use.completion_tokens, use.estimated) == (10, 5, False)
    assert (use.cost, use.large_cost) == (0.0, cost_of(price, 10, 5))
    assert use.large_cost == pytest.approx(0.0025)


async def test_the_same_model_in_two_tiers_is_asked_once() -> None:
    model = FakeModel([failing("model_malformed", "nonsense")])
    house = House({"small": [(SMALL, model)], "medium": [(SMALL, model)]})
    await fail(house)
    assert len(model.requests) == 1


async def test_models_found_later_are_used() -> None:
    house = House({}, also=[one(SMALL, ["Yes.", END])])
    house.completions.adopt({"small": (SMALL,)})
    assert text_of(await house.answer()) == "Yes."
    await house.connections.close()
    model = house.models[SMALL]
    assert isinstance(model, FakeModel)
    assert model.closed
