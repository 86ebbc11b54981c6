"""An agent that changes a world of its own, each change after a human's decision; and what such a run leaves behind."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from agent_gateway.approval import Approval, EffectRecord, effect_key
from agent_gateway.errors import Conflict
from agent_gateway.events import StageStarted, Token
from agent_gateway.interfaces import ApprovalDecision, Emit
from agent_gateway.messages import Answer, PendingApproval, Run
from agent_gateway.runs import SqliteRuns
from agent_gateway.runs.audit_files import HEAD_FILE, KEY_FILE
from agent_gateway.tool import Target, ToolResult

if TYPE_CHECKING:
    from .conftest import Desk

T = TypeVar("T")
APPROVE = ApprovalDecision(decision="approve", by="ann", comment="go on")
REJECT = ApprovalDecision(decision="reject", by="ann")


def later(seconds: float = 3600.0) -> str:
    """A time from now, ISO 8601, UTC."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def approval(run_id: str = "run_1", call_id: str = "call_1", **changes: Any) -> Approval:
    """A question about one call."""
    given: dict[str, Any] = {
        "id": f"approval-{run_id}-{call_id}", "run_id": run_id, "call_id": call_id, "persona": "bruno",
        "requester": "local", "tool": "scale", "arguments": {"replicas": 3}, "effect": "write", "digest": "d1",
        "reason": "it changes something", "summary": "scale web to 3", "diff": "-1\n+3",
        "targets": (Target(name="air/web", uid="u1", version="7"),), "created_at": later(0), "expires_at": later(),
    }  # fmt: skip
    return Approval(**(given | changes))


def effect(of: Approval, **changes: Any) -> EffectRecord:
    """The intent that an approval allows."""
    given: dict[str, Any] = {
        "key": effect_key(of.run_id, of.call_id), "run_id": of.run_id, "call_id": of.call_id, "persona": of.persona,
        "requester": of.requester, "tool": of.tool, "arguments": of.arguments, "targets": of.targets,
        "approval": of.id, "approver": "ann", "comment": "go on", "begun_at": later(0),
    }  # fmt: skip
    return EffectRecord(**(given | changes))


def result(of: Approval, text: str = "scaled") -> ToolResult:
    """What the turn is told of an effect."""
    return ToolResult(call_id=of.call_id, name=of.tool, status="ok", text=text)


def waiting(run: Run, *approvals: Approval) -> Answer:
    """The answer of an agent that waits."""
    pending = [PendingApproval(id=a.id, tool=a.tool, summary=a.summary, expires_at=a.expires_at) for a in approvals]
    return Answer(
        response="", model="extractive", context_used=0, latency_ms=1.0, conversation_id=run.conversation_id,
        run_id=run.id, status="waiting", approvals=tuple(pending),
    )  # fmt: skip


async def straight_on(place: str) -> None:
    """Stop nowhere."""


@dataclass
class Doer:
    """Makes `calls` changes to the `world`, a list of keys; its state is how many are done.

    `at` is awaited at each place where a process may be killed.
    """

    runs: Callable[[], SqliteRuns]
    calls: int = 1
    expire_seconds: float = 3600.0
    world: list[str] = field(default_factory=list)
    at: Callable[[str], Awaitable[None]] = straight_on

    async def run(self, run: Run, emit: Emit) -> str | Answer:
        await emit(StageStarted(stage="act"))
        return await self.work(run, emit, 0)

    async def go_on(self, run: Run, emit: Emit, checkpoint: bytes) -> str | Answer:
        return await self.work(run, emit, int(checkpoint))

    async def work(self, run: Run, emit: Emit, done: int) -> str | Answer:
        runs = self.runs()
        while done < self.calls:
            await runs.checkpoints.put(run.id, str(done).encode())
            await self.at("checkpoint")
            wanted = approval(run.id, f"call_{done}", expires_at=later(self.expire_seconds))
            found = await runs.approvals.of_call(run.id, wanted.call_id)
            if found is None or found.status == "pending":
                asked = await runs.approvals.request(wanted)
                await self.at("request")
                await emit(asked)
                await emit(Token(text="I ask. "))
                return waiting(run, asked)
            await emit(Token(text=f"{await self.perform(found)} "))
            done += 1
        return f"{len([key for key in self.world if key.startswith(run.id)])} done"

    async def perform(self, found: Approval) -> str:
        journal, key = self.runs().journal, effect_key(found.run_id, found.call_id)
        record = await journal.find(key)
        if record is None:
            try:
                await journal.begin(effect(found))
            except Conflict as error:
                return error.detail
            await self.at("intent")
        if record is None or (not record.outcome and key not in self.world):
            self.world.append(key)
            await self.at("effect")
        await journal.finish(key, "done", result(found))
        await self.at("outcome")
        return "done"


def hire(desk: Desk, doer: Doer) -> Doer:
    """Let the agent of these runs be this one."""
    desk.agent.script, desk.agent.go_on = doer.run, doer.go_on
    return doer


async def eventually(look: Callable[[], Awaitable[T | None]]) -> T:
    """What there is to be found, as soon as it is there."""
    while (found := await look()) is None:  # noqa: ASYNC110 - a database rings no bell
        await asyncio.sleep(0.005)
    return found


async def pending_of(runs: SqliteRuns, run_id: str, call_id: str = "call_0") -> Approval:
    """The approval of a call, once it is there."""
    return await eventually(lambda: runs.approvals.of_call(run_id, call_id))


async def until(runs: SqliteRuns, run_id: str, status: str) -> Run:
    """The run, once it has a status."""

    async def look() -> Run | None:
        run = await runs.get(run_id, "bruno", "local")
        return run if run.status == status else None

    return await eventually(look)


def copy_data(path: Path, folder: Path) -> Path:
    """The database as a process that is killed now leaves it, with the files beside it."""
    folder.mkdir()
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(folder / path.name)) as target:
        source.backup(target)
    for name in (KEY_FILE, HEAD_FILE):
        shutil.copy(path.with_name(name), folder / name)
    return folder / path.name
