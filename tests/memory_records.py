"""Approvals, journal, audit, checkpoints and clusters in memory, for tests of what uses them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from agent_gateway.approval import Approval, ApprovalStatus, EffectRecord
from agent_gateway.errors import Conflict, NotFound
from agent_gateway.interfaces import ApprovalDecision, ApprovalQuery, Cluster
from agent_gateway.policy.executor import ToolExecutor
from agent_gateway.policy.gate import Veto
from agent_gateway.policy.writes import Records
from agent_gateway.tool import Outcome, Tool, ToolResult

#: A folder that cannot be made: the output of a tool is not kept.
NOWHERE = Path(os.devnull) / "tool-output"


class NoClusters:
    """Implements `Clusters` where none is configured."""

    names: Sequence[str] = ()

    def get(self, name: str = "") -> Cluster:
        raise NotFound(f"there is no cluster {name!r}")


NO_CLUSTERS = NoClusters()


@dataclass
class MemoryRecords:
    """All four; `steps` is what happened, in order."""

    approvals_held: dict[str, Approval] = field(default_factory=dict)
    effects: dict[str, EffectRecord] = field(default_factory=dict)
    notes: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    stored: dict[str, bytes] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)

    def records(self, expire_seconds: float = 3600.0) -> Records:
        return Records(approvals=self, journal=self, audit=self, expire_seconds=expire_seconds)

    async def request(self, approval: Approval) -> Approval:
        existing = await self.of_call(approval.run_id, approval.call_id)
        if existing is None:
            self.approvals_held[approval.id] = approval
            self.steps.append("request")
        return existing or approval

    async def of_call(self, run_id: str, call_id: str) -> Approval | None:
        held = self.approvals_held.values()
        return next((each for each in held if (each.run_id, each.call_id) == (run_id, call_id)), None)

    async def list(self, query: ApprovalQuery) -> Sequence[Approval]:
        return tuple(self.approvals_held.values())

    async def decide(self, approval_id: str, decision: ApprovalDecision) -> Approval:
        status: ApprovalStatus = "approved" if decision.decision == "approve" else "rejected"
        return self.change(approval_id, status=status, approver=decision.by, comment=decision.comment)

    def change(self, approval_id: str, **fields: Any) -> Approval:
        changed = msgspec.structs.replace(self.approvals_held[approval_id], **fields)
        self.approvals_held[approval_id] = changed
        return changed

    async def find(self, key: str) -> EffectRecord | None:
        return self.effects.get(key)

    async def begin(self, record: EffectRecord) -> bool:
        if record.key in self.effects:
            return False
        if record.approval:
            if self.approvals_held[record.approval].status != "approved":
                raise Conflict("the approval is not approved any more", code="approval_spent")
            self.change(record.approval, status="spent")
        self.effects[record.key] = record
        self.steps.append("begin")
        return True

    async def finish(self, key: str, outcome: Outcome, result: ToolResult) -> None:
        self.effects[key] = msgspec.structs.replace(self.effects[key], outcome=outcome, result=result)
        self.steps.append(f"finish {outcome}")

    async def note(self, kind: str, details: Mapping[str, Any]) -> None:
        self.notes.append((kind, details))

    async def put(self, run_id: str, data: bytes) -> None:
        self.stored[run_id] = data
        self.steps.append("checkpoint")

    async def remove(self, run_id: str) -> None:
        self.stored.pop(run_id, None)

    async def get(self, name: str) -> Any:
        """An approval by its id, or a checkpoint by its run's."""
        if name.startswith("run-"):
            return self.stored.get(name)
        if name not in self.approvals_held:
            raise NotFound(f"there is no approval {name!r}", code="approval_not_found")
        return self.approvals_held[name]


def an_executor(
    tools: Mapping[str, Tool] | None = None,
    intents: Mapping[str, tuple[str, ...]] | None = None,
    folder: Path = NOWHERE,
    records: MemoryRecords | None = None,
    veto: Veto = lambda call, persona, owner: "",
) -> ToolExecutor:
    """An executor whose records are in memory."""
    kept = records if records is not None else MemoryRecords()
    return ToolExecutor(tools or {}, intents or {}, folder, kept.records(), veto)
