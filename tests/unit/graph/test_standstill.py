"""Turns that stand still before a call, and go on: in the same process or, from the bytes, in another one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.graph.parts import House, a_run

from agent_gateway.approval import Approval
from agent_gateway.errors import StorageFailed
from agent_gateway.events import Token
from agent_gateway.interfaces import ApprovalDecision, Context, TurnState
from agent_gateway.messages import Answer, Exchange
from agent_gateway.testing import passage
from agent_gateway.tool import (
    PlainRequest,
    Preview,
    Recognition,
    Tool,
    ToolCall,
    ToolResult,
    Verification,
    Warrant,
    tool,
)


class Lamp:
    """Something that can be switched."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    async def switch(self, on: bool, warrant: Warrant) -> str:
        """Switch the lamp."""
        self.keys.append(warrant.key)
        return f"on is {on}"

    async def preview(self, on: bool) -> Preview:
        """Say what would happen."""
        return Preview(summary=f"Switch the lamp to {on}")

    async def verify(self, on: bool, warrant: Warrant) -> Verification:
        """Look at the lamp."""
        return Verification(outcome="done" if warrant.key in self.keys else "not_done", text=f"it is {on}")

    @staticmethod
    def recognize(request: PlainRequest) -> Recognition | None:
        if "light" not in request.rest:
            return None
        return Recognition(arguments={"on": True}, confidence=1.0, meaning="switch the lamp on")

    def tool(self) -> Tool:
        return tool(self.switch, effect="write", preview=self.preview, verify=self.verify, recognize=self.recognize)


def a_house() -> tuple[House, Lamp]:
    lamp = Lamp()
    made = lamp.tool()
    return House(tools={made.name: made}), lamp


async def decide(house: House, decision: Any = "approve") -> None:
    (approval,) = house.records.approvals_held.values()
    await house.records.decide(approval.id, ApprovalDecision(decision=decision, by="bob"))


async def go_on(house: House, **stages: Any) -> Answer:
    """In a new agent, as after a restart, from the stored bytes alone."""
    return await house.agent(**stages).resume(a_run("light please"), (), house.ear, house.records.stored["run-1"])


async def test_a_plain_write_waits_and_is_done_after_the_decision() -> None:
    house, lamp = a_house()
    house.knowledge.held["docs"] = (passage("Lamps are lit at dusk."),)
    history = (Exchange(message="hello", response="hi"),)
    answer = await house.agent().run(a_run("light please"), history, house.ear)
    (pending,) = answer.approvals
    assert (answer.status, pending.tool, pending.summary) == ("waiting", "switch", "Switch the lamp to True")
    assert pending.id in answer.response
    assert [each.id for each in house.ear.of(Approval)] == [pending.id]
    assert lamp.keys == []
    await decide(house)
    done = await go_on(house)
    assert (done.status, lamp.keys) == ("completed", ["run-1.plain-1"])
    assert done.response.startswith(answer.response)
    assert "Verified: it is True." in done.response
    assert [(each.name, each.status) for each in done.tool_calls] == [("switch", "ok")]
    assert "".join(each.text for each in house.ear.of(Token)) == done.response
    assert [each.status for each in house.ear.of(ToolResult)] == ["ok"]
    assert len(house.remembered) == 1


async def test_a_rejected_write_is_told_and_not_done() -> None:
    house, lamp = a_house()
    await house.agent().run(a_run("light please"), (), house.ear)
    await decide(house, "reject")
    done = await go_on(house)
    assert (done.status, lamp.keys) == ("completed", [])
    assert "a human rejected it" in done.response


async def test_without_a_decision_it_stands_still_again() -> None:
    house, lamp = a_house()
    await house.agent().run(a_run("light please"), (), house.ear)
    again = await go_on(house)
    assert (again.status, lamp.keys) == ("waiting", [])
    await decide(house)
    assert (await go_on(house)).status == "completed"
    assert lamp.keys == ["run-1.plain-1"]


async def test_going_on_twice_does_it_once() -> None:
    house, lamp = a_house()
    await house.agent().run(a_run("light please"), (), house.ear)
    await decide(house)
    first, second = [await go_on(house) for _ in range(2)]
    assert lamp.keys == ["run-1.plain-1"]
    assert first.response == second.response


async def test_the_state_is_stored_before_anything_is_done() -> None:
    house, _ = a_house()
    await house.agent().run(a_run("light please"), (), house.ear)
    await decide(house)
    await go_on(house)
    assert house.records.steps == ["request", "checkpoint", "begin", "finish done"]


async def test_a_stage_of_a_plugin_s_waits_too_and_its_calls_are_made_once() -> None:
    house, lamp = a_house()
    begun = []

    async def act(state: TurnState, context: Context) -> TurnState:
        begun.append(context.run_id)
        first = await context.call("switch", {"on": True})
        second = await context.call("switch", {"on": False})
        return {"response": f"{first.status} {second.status}", "citations": ()}

    answer = await house.agent(act=act).run(a_run(), (), house.ear)
    assert answer.status == "waiting"
    await decide(house)
    answer = await go_on(house, act=act)
    assert (answer.status, len(lamp.keys)) == ("waiting", 1)
    last = list(house.records.approvals_held)[-1]
    await house.records.decide(last, ApprovalDecision(decision="reject", by="bob"))
    answer = await go_on(house, act=act)
    assert (answer.status, answer.response) == ("completed", "ok refused")
    assert len(lamp.keys) == 1
    assert len(begun) == 3


async def test_a_stage_that_loops_over_what_is_there_changes_each_and_is_told_of_each() -> None:
    world, told = ["a", "b", "c"], list[tuple[str, str]]()

    async def names() -> str:
        """List them."""
        return " ".join(world)

    async def remove(name: str) -> str:
        """Remove one."""
        world.remove(name)
        return f"removed {name}"

    house = House(tools={"names": tool(names), "remove": tool(remove, effect="write")})

    async def act(state: TurnState, context: Context) -> TurnState:
        told.clear()
        for name in (await context.call("names", {})).text.split():
            told.append((name, (await context.call("remove", {"name": name})).text))
        return {"response": "done", "citations": ()}

    answer = await house.agent(act=act).run(a_run(), (), house.ear)
    for _ in range(3):
        assert answer.status == "waiting"
        last = list(house.records.approvals_held)[-1]
        await house.records.decide(last, ApprovalDecision(decision="approve", by="bob"))
        answer = await go_on(house, act=act)
    assert (answer.status, world) == ("completed", [])
    assert all(text == f"removed {name}" for name, text in told)


async def test_a_read_only_turn_stores_nothing() -> None:
    house, _ = a_house()
    await house.agent().run(a_run(), (), house.ear)
    assert house.records.stored == {}


async def test_a_state_of_another_version_is_refused_with_a_reason() -> None:
    house, _ = a_house()
    await house.agent().run(a_run("light please"), (), house.ear)
    stored = msgspec.json.decode(house.records.stored["run-1"])
    for other in (b"nonsense", msgspec.json.encode({**stored, "format": 99})):
        with pytest.raises(StorageFailed, match="another version"):
            await house.agent().resume(a_run(), (), house.ear, other)


async def test_a_tool_cannot_wait_within_another_tool() -> None:
    lamp = Lamp()

    async def evening(context: Context) -> str:
        """Make it evening."""
        return (await context.call("switch", {"on": True})).text

    tools = {"switch": lamp.tool(), "evening": tool(evening)}
    house = House(tools=tools)
    result = await house.context().attempt(ToolCall(id="call-1", name="evening", arguments={}))
    assert (result.status, lamp.keys) == ("failed", [])
    assert "waits for a human" in result.text
