from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from tests.memory_records import MemoryRecords, an_executor

from agent_gateway.errors import Conflict, GatewayError, InvalidInput, Unavailable
from agent_gateway.interfaces import ApprovalDecision
from agent_gateway.messages import ROLES, Role
from agent_gateway.persona import Persona, Policy
from agent_gateway.policy.canonical import digest_of
from agent_gateway.policy.executor import ToolExecutor
from agent_gateway.policy.gate import Veto
from agent_gateway.tool import Preview, Target, Tool, ToolCall, ToolResult, Verdict, Verification, Warrant, tool

CALL = ToolCall(id="call-1", name="scale", arguments={"replicas": "3"})


@dataclass
class Turn:
    """What the executor needs of a turn's context."""

    policy: Policy = field(default_factory=Policy)
    run_id: str = "run-1"
    deadline: float = float("inf")
    owner: str = "alice"
    roles: tuple[Role, ...] = ROLES

    @property
    def persona(self) -> Persona:
        return Persona(id="nora", title="N", prompt="N", tools=("scale",), policy=self.policy)


@dataclass
class World:
    """A thing with replicas, that remembers by which keys it was changed; and the executor of the tool for it."""

    replicas: int = 1
    keys: list[str] = field(default_factory=list)
    previews: int = 0
    records: MemoryRecords = field(default_factory=MemoryRecords)
    error: Exception | None = None
    seen: list[Warrant] = field(default_factory=list)
    veto: Veto = lambda call, persona, owner: ""

    def executor(self, **declared: Any) -> ToolExecutor:
        made = tool(self.scale, effect="write", **{"preview": self.preview, "verify": self.verify, **declared})
        return an_executor({"scale": made}, records=self.records, veto=self.veto)

    async def scale(self, replicas: int, warrant: Warrant) -> str:
        """Scale the thing."""
        self.seen.append(warrant)
        if self.error is not None:
            raise self.error
        self.replicas = replicas
        self.keys.append(warrant.key)
        return f"scaled to {replicas}"

    async def preview(self, replicas: int) -> Preview:
        """Look at what would change."""
        self.previews += 1
        target = Target(name="thing", uid="u", version=str(self.replicas))
        diff = f"-{self.replicas}\n+{replicas}"
        return Preview(summary=f"Scale the thing to {replicas}", diff=diff, targets=(target,))

    async def verify(self, replicas: int, warrant: Warrant) -> Verification:
        """Look whether it has happened."""
        done = warrant.key in self.keys
        return Verification(outcome="done" if done else "not_done", text=f"it has {self.replicas} replicas")

    async def approve(self, decision: Any = "approve", by: str = "bob", comment: str = "") -> str:
        (approval,) = self.records.approvals_held.values()
        await self.records.decide(approval.id, ApprovalDecision(decision=decision, by=by, comment=comment))
        return approval.id


async def test_a_write_waits_shown_with_its_preview() -> None:
    world = World()
    result = await world.executor().call(CALL, Turn())
    (approval,) = world.records.approvals_held.values()
    assert (result.status, result.approval) == ("waiting", approval.id)
    assert (approval.summary, approval.diff) == ("Scale the thing to 3", "-1\n+3")
    assert (approval.requester, approval.persona, approval.arguments) == ("alice", "nora", {"replicas": 3})
    assert approval.targets == (Target(name="thing", uid="u", version="1"),)
    assert approval.digest == digest_of(approval)
    assert approval.reason == "'scale' changes something."
    assert world.keys == []


async def test_a_call_that_waits_is_not_looked_at_again() -> None:
    world = World()
    executor = world.executor()
    first, second = [await executor.call(CALL, Turn()) for _ in range(2)]
    assert first.approval == second.approval
    assert world.previews == 1


async def test_an_approved_call_is_made_once_between_its_rows() -> None:
    world = World()
    executor = world.executor()
    waiting = await executor.perform(CALL, Turn())
    assert waiting.status == "refused"  # nobody was asked
    await executor.call(CALL, Turn())
    assert (await executor.perform(CALL, Turn())).status == "waiting"
    approval = await world.approve()
    result = await executor.perform(CALL, Turn())
    assert (result.status, result.text) == ("ok", "scaled to 3\nVerified: it has 3 replicas.")
    assert world.records.steps == ["request", "begin", "finish done"]
    assert (await executor.perform(CALL, Turn())) == result
    assert world.keys == ["run-1.call-1"]
    (warrant,) = world.seen
    assert (warrant.approver, warrant.requester, warrant.run_id) == ("bob", "alice", "run-1")
    assert warrant.targets == world.records.approvals_held[approval].targets


async def test_another_call_under_the_name_of_one_that_was_asked_for_is_refused() -> None:
    """What is done is what was shown; and who asks for something else is not told that it was done."""
    world = World()
    executor = world.executor()
    await executor.call(CALL, Turn())
    other = ToolCall(id="call-1", name="scale", arguments={"replicas": 99})
    results = [await executor.call(other, Turn())]
    await world.approve()
    results.append(await executor.perform(other, Turn()))
    await executor.perform(CALL, Turn())
    results.append(await executor.perform(other, Turn()))
    assert [each.status for each in results] == ["refused"] * 3
    assert all("another call was asked for under this name" in each.text for each in results)
    assert (world.replicas, len(world.keys)) == (3, 1)


@pytest.mark.parametrize("change", [{"diff": "nothing"}, {"requester": "eve"}, {"targets": ()}])
async def test_an_approval_that_was_tampered_with_is_worth_nothing(change: dict[str, Any]) -> None:
    world = World()
    executor = world.executor()
    await executor.call(CALL, Turn())
    world.records.change(await world.approve(), **change)
    result = await executor.perform(CALL, Turn())
    assert result.status == "refused"
    assert "does not belong to this call" in result.text
    assert world.keys == []


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("expired", "nobody decided in time"),
        ("rejected", "a human rejected it, saying: not today"),
        ("void", "the run had ended"),
        ("spent", "was used already"),
    ],
)
async def test_without_a_yes_nothing_is_done(status: Any, told: str) -> None:
    world = World()
    executor = world.executor()
    await executor.call(CALL, Turn())
    world.records.change(await world.approve("reject", comment="not today"), status=status)
    result = await executor.perform(CALL, Turn())
    assert result.status == "refused"
    assert told in result.text
    assert world.keys == []


async def test_a_write_of_a_policy_s_is_automatic_where_no_model_read_anything() -> None:
    world = World()
    executor, turn = world.executor(), Turn(policy=Policy(auto=("scale",)))
    asked = await executor.call(CALL, turn)
    assert asked.approval
    (approval,) = world.records.approvals_held.values()
    assert "nobody vouches" in approval.reason
    other = msgspec.structs.replace(CALL, id="call-2")
    assert (await executor.call(other, turn, automatic=True)).approval == ""
    assert (await executor.perform(other, turn)).status == "refused"
    assert (await executor.perform(other, turn, automatic=True)).status == "ok"
    assert world.keys == ["run-1.call-2"]


async def test_what_was_lost_between_asking_and_doing_is_asked_for_again() -> None:
    world = World()
    executor = world.executor()
    await executor.call(CALL, Turn())
    await world.approve()
    for turn in (Turn(policy=Policy(suggest_only=True)), Turn(roles=("viewer",))):
        assert (await executor.perform(CALL, turn)).status == "refused"
    assert world.keys == []
    assert [kind for kind, _ in world.records.notes] == ["call_denied", "call_denied"]


async def test_a_plugin_vetoes_when_asked_and_right_before_the_effect() -> None:
    reasons = [""]
    world = World(veto=lambda call, persona, owner: reasons[0])
    executor = world.executor()
    await executor.call(CALL, Turn())
    await world.approve()
    reasons[0] = "there is a freeze"
    result = await executor.perform(CALL, Turn())
    assert (result.status, result.text) == ("refused", "A plugin refuses this call: there is a freeze")
    other = await executor.call(msgspec.structs.replace(CALL, id="call-2"), Turn())
    assert other.status == "refused"


async def test_what_cannot_work_is_not_asked_about() -> None:
    async def refuse(replicas: int) -> Preview:
        """Find out that it cannot work."""
        raise InvalidInput(f"{replicas} are too many")

    world = World()
    result = await world.executor(preview=refuse).call(CALL, Turn())
    assert (result.status, result.text) == ("failed", "3 are too many")
    assert world.records.steps == []


async def test_an_effect_that_was_cut_is_looked_up_and_not_repeated() -> None:
    world = World()
    executor = world.executor()
    await executor.call(CALL, Turn())
    await world.approve()
    await executor.perform(CALL, Turn())
    key = "run-1.call-1"
    cut = msgspec.structs.replace(world.records.effects[key], outcome="", result=None)
    world.records.effects[key] = cut
    result = await executor.perform(CALL, Turn())
    assert (result.status, world.keys) == ("ok", [key])
    assert "cut off meanwhile. Verified: it has 3 replicas." in result.text


async def test_an_effect_that_was_cut_before_it_happened_is_made_now() -> None:
    world = World()
    executor = world.executor()
    await executor.call(CALL, Turn())
    await world.approve()
    await executor.perform(CALL, Turn())
    key = "run-1.call-1"
    world.records.effects[key] = msgspec.structs.replace(world.records.effects[key], outcome="", result=None)
    world.keys.clear()
    world.replicas = 1
    assert (await executor.perform(CALL, Turn())).status == "ok"
    assert (world.replicas, world.keys) == (3, [key])


@pytest.mark.parametrize(("idempotent", "made"), [(True, 2), (False, 1)])
async def test_an_effect_that_nobody_can_look_up_is_repeated_only_if_that_is_harmless(
    idempotent: bool, made: int
) -> None:
    world = World()
    executor = world.executor(verify=None, idempotent=idempotent)
    await executor.call(CALL, Turn())
    await world.approve()
    await executor.perform(CALL, Turn())
    key = "run-1.call-1"
    world.records.effects[key] = msgspec.structs.replace(world.records.effects[key], outcome="", result=None)
    result = await executor.perform(CALL, Turn())
    assert len(world.keys) == made
    assert ("not known" in result.text) is not idempotent


async def test_a_tool_that_fails_is_not_believed_over_the_world() -> None:
    world = World(error=Conflict("it has changed since"))
    executor = world.executor()
    await executor.call(CALL, Turn())
    await world.approve()
    result = await executor.perform(CALL, Turn())
    assert result.status == "failed"
    assert result.text == "it has changed since. It has not happened: it has 1 replicas."
    assert world.records.effects["run-1.call-1"].outcome == "not_done"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (GatewayError("apps is NOT ready: boom", code="not_ready"), "failed"),
        (Conflict("it has come to something else"), "failed"),
        (Unavailable("the connection was cut"), "ok"),
        (TimeoutError("no answer"), "ok"),
        (ValueError("a mistake"), "ok"),
    ],
)
async def test_what_was_changed_and_came_to_nothing_is_recorded_as_done_and_told_as_failed(
    error: Exception, status: str
) -> None:
    world = World()

    async def scale(replicas: int, warrant: Warrant) -> str:
        """Scale the thing, and say what came of it."""
        await world.scale(replicas, warrant)
        raise error

    made = tool(scale, effect="write", preview=world.preview, verify=world.verify)
    executor = an_executor({"scale": made}, records=world.records)
    await executor.call(CALL, Turn())
    await world.approve()
    result = await executor.perform(CALL, Turn())
    assert result.status == status
    assert result.text.endswith(f"{error}. Verified: it has 3 replicas.")
    assert world.records.effects["run-1.call-1"].outcome == "done"


async def test_a_cancelled_turn_lets_a_begun_effect_come_to_its_row() -> None:
    world = World()
    entered, go = asyncio.Event(), asyncio.Event()

    async def slowly(replicas: int, warrant: Warrant) -> str:
        """Scale slowly."""
        entered.set()
        await go.wait()
        return await world.scale(replicas, warrant)

    made = tool(slowly, name="scale", effect="write", preview=world.preview, verify=world.verify)
    executor = an_executor({"scale": made}, records=world.records)
    await executor.call(CALL, Turn())
    await world.approve()
    performing = asyncio.create_task(executor.perform(CALL, Turn()))
    await entered.wait()
    performing.cancel()
    await asyncio.sleep(0)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await performing
    assert world.records.steps[-1] == "finish done"


async def test_a_read_that_a_human_must_decide_on_waits_too() -> None:
    async def dump() -> str:
        """Dump everything."""
        return "everything"

    asks: Tool = tool(dump, name="scale", judge=lambda given: Verdict(decision="ask", reason="It is much."))
    world = World()
    executor = an_executor({"scale": asks}, records=world.records)
    call = ToolCall(id="call-1", name="scale", arguments={})
    assert (await executor.call(call, Turn(roles=("viewer",)))).status == "waiting"
    await world.approve()
    result: ToolResult = await executor.perform(call, Turn(roles=("viewer",)))
    assert (result.status, result.text) == ("ok", "everything")


async def test_a_tool_s_own_rule_forbids_what_no_approval_allows() -> None:
    world = World()
    executor = world.executor(judge=lambda given: Verdict(decision="deny", reason="Never."))
    result = await executor.call(CALL, Turn(policy=Policy(auto=("scale",))), automatic=True)
    assert (result.status, result.text, world.previews) == ("refused", "Never.", 0)
