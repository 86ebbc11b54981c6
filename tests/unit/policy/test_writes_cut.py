"""A write whose gateway was killed between intent and outcome: what may still be done after the start."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.memory_records import an_executor
from tests.unit.policy.test_writes import CALL, Turn, World

from agent_gateway.persona import Policy
from agent_gateway.policy.canonical import digest_of
from agent_gateway.tool import Tool, ToolCall, Verdict, Verification, Warrant, tool

KEY = "run-1.call-1"


async def cut_before_the_effect() -> World:
    """A world in which a change was approved and begun, and nothing has happened yet."""
    world = World()
    executor = world.executor()
    await executor.call(CALL, Turn())
    await world.approve()
    await executor.perform(CALL, Turn())
    world.records.effects[KEY] = msgspec.structs.replace(world.records.effects[KEY], outcome="", result=None)
    world.keys.clear()
    world.replicas = 1
    return world


@pytest.mark.parametrize("why", ["suggests only", "viewer", "veto", "rule"])
async def test_what_may_not_be_done_any_more_is_not_done_after_the_start(why: str) -> None:
    world = await cut_before_the_effect()
    turn, declared = Turn(), dict[str, Any]()
    if why == "suggests only":
        turn = Turn(policy=Policy(suggest_only=True))
    elif why == "viewer":
        turn = Turn(roles=("viewer",))
    elif why == "veto":
        world.veto = lambda call, persona, owner: "not on a Friday"
    else:
        declared = {"judge": lambda given: Verdict(decision="deny", reason="Never.")}
    result = await world.executor(**declared).perform(CALL, turn)
    assert (result.status, world.keys, world.replicas) == ("refused", [], 1)
    assert result.text.startswith("The gateway was cut off before this was done.")
    assert world.records.effects[KEY].outcome == "not_done"
    assert [kind for kind, _ in world.records.notes] == ["call_denied"]


async def test_an_approval_whose_time_is_over_begins_nothing_after_the_start() -> None:
    world = await cut_before_the_effect()
    (approval,) = world.records.approvals_held.values()
    late = msgspec.structs.replace(approval, expires_at="2020-01-01T00:00:00.000Z")
    world.records.change(approval.id, expires_at=late.expires_at, digest=digest_of(late))
    result = await world.executor().perform(CALL, Turn())
    assert (result.status, world.keys) == ("refused", [])
    assert "The time in which it was approved is over." in result.text


@pytest.mark.parametrize("told", [None, "", "WRITE", "reed", True])
async def test_what_a_rule_does_not_call_a_read_is_a_write(told: Any) -> None:
    world = World()
    executor = an_executor({"scale": tool(world.scale, effect=lambda given: told)}, records=world.records)
    assert (await executor.call(CALL, Turn())).status == "waiting"
    assert (await executor.call(CALL, Turn(policy=Policy(suggest_only=True)))).status == "refused"
    assert world.keys == []


async def test_arguments_that_json_changes_are_approved_done_and_found_again() -> None:
    made: list[tuple[Any, ...]] = []

    async def paint(points: tuple[int, ...], names: set[str], sizes: dict[int, str], warrant: Warrant) -> str:
        """Paint."""
        del warrant
        made.append((points, names, sizes))
        return "painted"

    world = World()
    painter: Tool = tool(paint, name="scale", effect="write")
    executor = an_executor({"scale": painter}, records=world.records)
    given = {"points": [3, 1], "names": ["b", "a", "c"], "sizes": {"2": "two", "1": "one"}}
    call = ToolCall(id="call-1", name="scale", arguments=given)
    assert (await executor.call(call, Turn())).status == "waiting"
    await world.approve()
    first = await executor.perform(call, Turn())
    assert (first.status, await executor.perform(call, Turn())) == ("ok", first)
    assert made == [((3, 1), {"a", "b", "c"}, {1: "one", 2: "two"})]


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
async def test_a_number_that_json_does_not_have_is_refused(number: float) -> None:
    async def fill(share: float = 0.5) -> str:
        """Fill it."""
        return f"filled to {share}"

    executor = an_executor({"scale": tool(fill, name="scale", effect="write")})
    result = await executor.call(ToolCall(id="call-1", name="scale", arguments={"share": number}), Turn())
    assert (result.status, result.mendable) == ("failed", True)
    assert "a number must be finite" in result.text


async def test_a_human_is_shown_that_there_is_more_and_what_nobody_sees() -> None:
    async def send(text: str, target: str) -> str:
        """Send it."""
        return f"{text} {target}"

    world = World()
    executor = an_executor({"scale": tool(send, name="scale", effect="write")}, records=world.records)
    for number, text in enumerate(("x" * 600, "we\u200bb\u202e")):
        call = ToolCall(id=f"call-{number}", name="scale", arguments={"text": text, "target": "PRODUCTION"})
        await executor.call(call, Turn())
    cut, unseen = (each.summary for each in world.records.approvals_held.values())
    assert cut.endswith("characters: look at all of its arguments)")
    assert "we\\u200bb\\u202e" in unseen


async def test_what_was_made_and_has_not_worked_is_told_as_failed_after_the_start_too() -> None:
    world = await cut_before_the_effect()

    async def verify(replicas: int) -> Verification:
        """Look."""
        return Verification(outcome="done", text=f"it was asked for {replicas}, and is broken", failed=True)

    result = await world.executor(verify=verify).perform(CALL, Turn())
    assert (result.status, world.keys) == ("failed", [])
    assert world.records.effects[KEY].outcome == "done"


async def test_what_was_made_and_has_not_worked_is_told_as_failed() -> None:
    world = World()

    async def verify(replicas: int) -> Verification:
        """Look."""
        return Verification(outcome="done", text=f"{replicas} are broken", failed=True)

    executor = world.executor(verify=verify)
    await executor.call(CALL, Turn())
    await world.approve()
    result = await executor.perform(CALL, Turn())
    assert (result.status, len(world.keys)) == ("failed", 1)
    assert world.records.effects[KEY].outcome == "done"
