from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import msgspec
import pytest
from tests.unit.models.fake_models import (
    END,
    FOREVER,
    MEDIUM,
    NORA,
    OVERLOADED,
    REFUSED,
    SMALL,
    FakeModel,
    House,
    building,
    fail,
    failing,
    one,
    text_of,
    with_timeouts,
)

from agent_gateway.completion import (
    CompletionChunk,
    CompletionRequest,
    ModelInfo,
    ToolRequest,
    Usage,
)


async def test_usage_after_the_finish_comes_in_one_last_piece() -> None:
    call = ToolRequest(id="1", name="look", arguments="{}")
    script = [
        CompletionChunk(finish="tool_calls", tool_requests=(call,)),
        CompletionChunk(usage=Usage(prompt_tokens=3)),
    ]
    (piece,) = await House({"small": [one(SMALL, script)]}).answer()
    assert piece.model is not None
    assert (piece.finish, piece.tool_requests, piece.usage) == ("tool_calls", (call,), Usage(prompt_tokens=3))


async def test_an_empty_answer_is_handed_on() -> None:
    (piece,) = await House({"small": [one(SMALL, [END])], "medium": [one(MEDIUM, ["x", END])]}).answer()
    assert (piece.text, piece.finish) == ("", "stop")


async def test_a_server_that_does_not_end_its_stream_after_the_finish_is_not_waited_for() -> None:
    house = House({"small": [one(SMALL, ["Yes.", END, FOREVER])]})
    async with asyncio.timeout(3):
        assert text_of(await house.answer()) == "Yes."
    assert house.ledger.outcomes == [("fake/small", "ok")]


async def test_without_usage_tokens_are_counted_here() -> None:
    house = House({"small": [one(SMALL, ["In the drawer.", CompletionChunk(finish="stop")])]})
    usage = (await house.answer())[-1].usage
    assert usage is not None
    assert usage.estimated
    assert 4 <= usage.prompt_tokens <= 20
    assert 3 <= usage.completion_tokens <= 6


async def test_what_may_pass_is_tried_once_more_and_only_before_the_first_piece() -> None:
    house = House({"small": [one(SMALL, [OVERLOADED], ["Yes.", END])]})
    assert text_of(await house.answer()) == "Yes."
    assert house.ledger.outcomes == [("fake/small", "model_overloaded"), ("fake/small", "ok")]
    model = FakeModel([OVERLOADED])
    house = House({"small": [(SMALL, model)]})
    await fail(house)
    assert len(model.requests) == 2
    await fail(house, retry=False)
    assert len(model.requests) == 3


async def test_a_model_that_takes_no_tools_is_asked_at_once_in_another_way_and_stays_so() -> None:
    refusal = failing("model_tools_unsupported", unfit=True)
    house = House({"small": [one(SMALL, [refusal], ["Yes.", END])]})
    seen: list[ModelInfo] = []
    assert text_of(await house.answer(build=building(seen), retry=False)) == "Yes."
    await house.answer(build=building(seen))
    assert [info.tools for info in seen] == ["native", "json", "json"]


async def test_refusals_are_learned_one_after_the_other_each_once() -> None:
    codes = ("model_schema_unsupported", "model_tools_unsupported", "model_context_too_long")
    house = House({"small": [one(SMALL, *[[failing(code, unfit=True)] for code in codes], ["Yes.", END])]})
    seen: list[ModelInfo] = []
    first, *_ = await house.answer(build=building(seen))
    assert [(info.schemas, info.tools, info.window) for info in seen] == [
        (True, "native", 8192),
        (False, "native", 8192),
        (False, "json", 8192),
        (False, "json", 5734),
    ]
    assert first.model == seen[-1]
    too_long = House({"small": [one(SMALL, [failing("model_context_too_long", unfit=True)])]})
    seen.clear()
    await fail(too_long, build=building(seen))
    assert [info.window for info in seen] == [8192, 5734]
    assert too_long.completions.standing(NORA)["small"].up


async def test_a_model_that_says_nothing_is_left_for_the_next_one() -> None:
    slow = FakeModel([FOREVER])
    house = House({"small": [(with_timeouts(SMALL, first=0.1), slow)], "medium": [one(MEDIUM, ["m", END])]})
    first, *_ = await house.answer()
    assert first.text == "m"
    assert "fake/small at http://small.lan sent nothing for 0.1 s" in first.notices[0]
    assert (len(slow.requests), slow.streaming) == (1, 0)


async def test_the_last_model_is_given_a_second_chance_to_wake_up() -> None:
    house = House({"small": [one(with_timeouts(SMALL, first=0.1), [FOREVER], ["Yes.", END])]})
    assert text_of(await house.answer()) == "Yes."


async def test_the_deadline_ends_an_answer_in_the_middle() -> None:
    house = House({"small": [one(SMALL, ["In", FOREVER])]})
    error, pieces = await fail(house, seconds=0.2)
    assert text_of(pieces) == "In"
    assert error.code == "model_timeout"
    assert "still writing when the turn's time was over" in error.detail
    assert house.completions.standing(NORA)["small"].up


async def test_an_answer_that_stalls_is_cut() -> None:
    house = House({"small": [one(with_timeouts(SMALL, stall=0.1), ["In", FOREVER])]})
    error, pieces = await fail(house)
    assert text_of(pieces) == "In"
    assert error.code == "model_timeout"
    assert not house.completions.standing(NORA)["small"].up


async def test_listening_no_more_frees_the_place_and_is_recorded_as_cancelled() -> None:
    model = FakeModel(["In", FOREVER])
    house = House({"small": [(SMALL, model)]})
    pieces = house.ask()
    assert (await anext(pieces)).text == "In"
    queue = house.connections.of(SMALL).queue
    assert (queue.taken, model.streaming) == (1, 1)
    await pieces.aclose()  # type: ignore[attr-defined]  # it is a generator
    assert (queue.taken, model.streaming) == (0, 0)
    assert house.ledger.outcomes == [("fake/small", "cancelled")]
    assert house.ledger.uses[0].completion_tokens > 0


@pytest.mark.parametrize("script", [[FOREVER], ["In", FOREVER]])
async def test_a_cancelled_turn_leaves_nothing_behind(script: list[Any]) -> None:
    model = FakeModel(script)
    house = House({"small": [(SMALL, model)]})
    before = asyncio.all_tasks()
    turn = asyncio.create_task(house.answer())
    await asyncio.sleep(0.05)
    turn.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await turn
    assert model.streaming == 0
    assert house.connections.of(SMALL).queue.taken == 0
    assert house.ledger.outcomes == [("fake/small", "cancelled")]
    assert house.completions.standing(NORA)["small"].up
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("bug", [RuntimeError("a bug"), asyncio.CancelledError()])
async def test_a_bug_in_an_adapter_is_a_failure_like_others(bug: BaseException) -> None:
    house = House({"small": [one(SMALL, [bug])], "medium": [one(MEDIUM, ["m", END])]})
    first, *_ = await house.answer()
    assert first.text == "m"
    assert f"could not be talked to: {type(bug).__name__}" in first.notices[0]
    assert house.connections.of(SMALL).queue.taken == 0
    assert house.ledger.outcomes == [("fake/small", "model_adapter_failed"), ("fake/medium", "ok")]


async def test_a_bug_in_a_builder_is_a_bug_and_leaves_nothing_behind() -> None:
    house = House({"small": [one(SMALL, ["x", END])]})

    def build(info: ModelInfo) -> CompletionRequest:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        await house.answer(build=build)
    assert house.connections.of(SMALL).queue.taken == 0
    assert house.ledger.uses == []


async def test_who_waits_in_the_queue_learns_that_the_model_went_away() -> None:
    single = msgspec.structs.replace(SMALL, concurrency=1)
    model = FakeModel([0.05, REFUSED])
    house = House({"small": [(single, model)], "medium": [one(MEDIUM, ["m", END])]})
    answers = await asyncio.gather(*(house.answer(owner=f"owner {n}") for n in range(20)))
    assert [text_of(each) for each in answers] == ["m"] * 20
    assert len(model.requests) == 1


async def test_what_never_reached_a_server_is_not_recorded() -> None:
    house = House({"small": [one(SMALL, [REFUSED])]})
    await fail(house)
    assert house.ledger.uses == []
    standing = house.completions.standing(NORA)["small"]
    assert not standing.up
    assert standing.why == "fake/small at http://small.lan: connection refused (0 s ago, next try in 10 s)"
