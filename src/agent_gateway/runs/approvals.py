"""The approvals of a gateway: asked for by a call, decided on by a human, and then the run goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from agent_gateway.approval import Approval
from agent_gateway.errors import Conflict, InvalidInput
from agent_gateway.interfaces import ApprovalDecision, ApprovalQuery
from agent_gateway.runs.approval_changes import decide_approval, insert_approval
from agent_gateway.runs.approval_rows import (
    approval_not_found,
    as_of,
    find_approval,
    find_of_call,
    list_approvals,
    row_of,
)
from agent_gateway.runs.closure import closure_of
from agent_gateway.runs.commits import GroupCommit
from agent_gateway.runs.database import Database
from agent_gateway.runs.identifiers import Moment, moment_of
from agent_gateway.runs.live import LiveRuns


class SqliteApprovals:
    """The `Approvals` of a gateway.

    `on_requested` hears of each new one, `on_decided` of the run of each one that somebody decides on.
    """

    def __init__(
        self,
        database: Database,
        commits: GroupCommit,
        lives: LiveRuns,
        *,
        on_requested: Callable[[Approval], None],
        on_decided: Callable[[str], None],
    ) -> None:
        self._database = database
        self._commits = commits
        self._lives = lives
        self._on_requested = on_requested
        self._on_decided = on_decided
        self._deciding: set[asyncio.Task[Approval]] = set()

    async def request(self, approval: Approval) -> Approval:
        """Store a new one and return it, or return the one that this run's call already has.

        `InvalidInput` when it cannot be stored, `Conflict` (code `run_ended`) when its run is over.
        """
        live = self._lives.find(approval.run_id)
        if live is not None:
            if live.sealed:
                raise Conflict(f"run {approval.run_id!r} has ended already", code="run_ended")
            live.closure = closure_of(self._commits.chain, approval.run_id)
        stored = await self._commits.perform(
            partial(
                insert_approval, chain=self._commits.chain, row=row_of(approval), approval=approval, now=self._now()
            )
        )
        self._on_requested(stored)
        return stored

    async def of_call(self, run_id: str, call_id: str) -> Approval | None:
        """The approval of a call; one whose time is over is `expired`."""
        found = await self._database.read(partial(find_of_call, run_id=run_id, call_id=call_id))
        return found and as_of(found, self._now())

    async def get(self, approval_id: str) -> Approval:
        """The approval, whoever may see it; `NotFound` (code `approval_not_found`)."""
        found = await self._database.read(partial(find_approval, approval_id=approval_id))
        if found is None:
            raise approval_not_found(approval_id)
        return as_of(found, self._now())

    async def list(self, query: ApprovalQuery) -> Sequence[Approval]:
        """The approvals that a query describes, newest first, at most 500."""
        return await self._database.read(partial(list_approvals, query=query, now=self._now()))

    async def decide(self, approval_id: str, decision: ApprovalDecision) -> Approval:
        """Decide once and let the run go on. The same decision by the same human again changes nothing.

        `NotFound`; `Conflict` with code `approval_decided` or `approval_expired`, or `same_person` when the approver
        must differ from the requester.
        """
        try:
            msgspec.json.encode(decision)
        except UnicodeEncodeError as error:
            raise InvalidInput("the text is not valid Unicode", hint="remove lone surrogates") from error
        # What is decided lets the run go on, also when who decided has gone away meanwhile.
        task = asyncio.create_task(self._decide(approval_id, decision))
        self._deciding.add(task)
        task.add_done_callback(self._decided)
        return await asyncio.shield(task)

    async def _decide(self, approval_id: str, decision: ApprovalDecision) -> Approval:
        approval = await self.get(approval_id)
        try:
            return await self._commits.perform(
                partial(
                    decide_approval,
                    chain=self._commits.chain,
                    approval_id=approval_id,
                    decision=decision,
                    now=self._now(),
                )
            )
        finally:
            # A refusal, too, may be how its expiry became known.
            self._on_decided(approval.run_id)

    def _decided(self, task: asyncio.Task[Approval]) -> None:
        self._deciding.discard(task)
        if not task.cancelled():
            # Looked at, so that a refusal that nobody waits for any more is not reported as lost.
            task.exception()

    def _now(self) -> Moment:
        return moment_of(self._commits.clock.now())
