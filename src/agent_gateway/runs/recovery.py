"""Runs that were cut or wait for a human: taken up again under their ids, or ended with one clear error."""

from __future__ import annotations

from functools import partial

import msgspec
import structlog

from agent_gateway.errors import Conflict, NotFound
from agent_gateway.events import Event, RunResumed
from agent_gateway.messages import Answer, Problem, Run, RunStatus
from agent_gateway.runs.checkpoints import read_checkpoint
from agent_gateway.runs.closure import closure_of
from agent_gateway.runs.conversations import Conversations
from agent_gateway.runs.database import Database
from agent_gateway.runs.executions import Executions
from agent_gateway.runs.journal import has_open_effects
from agent_gateway.runs.live import LiveRun
from agent_gateway.runs.outcomes import cancelled_answer
from agent_gateway.runs.records import EVENTS_PAGE, StoredRun, read_events, read_interrupted, read_run, run_not_found

#: The sequence number of `run_started`: a rerun begins again right behind it.
STARTED_SEQ = 1

_log = structlog.get_logger(__name__)


class Recovery:
    """Takes interrupted and waiting runs up again."""

    def __init__(
        self, database: Database, executions: Executions, conversations: Conversations, *, max_attempts: int
    ) -> None:
        self._database = database
        self._executions = executions
        self._conversations = conversations
        self._max_attempts = max_attempts

    async def recover(self) -> int:
        """Take up every interrupted run; returns how many. They go on in the background."""
        taken = 0
        for run_id in await self._database.read(read_interrupted):
            try:
                await self.resume(run_id)
                taken += 1
            except (Conflict, NotFound):
                # Somebody resumed or deleted it meanwhile.
                continue
        if taken:
            _log.info("runs_recovered", runs=taken)
        return taken

    async def resume(self, run_id: str) -> Run:
        """Run an interrupted turn again, from its stored state if it has one; or end it when that is no use."""
        stored = await self._load(run_id, "interrupted")
        problem = self._problem(stored.run)
        if problem is not None and await self._database.read(partial(has_open_effects, run_id=run_id)):
            detail = f"{problem.detail}; whether a change that it had begun was made is not known"
            hint = "look at what it was to change, and at agent-gateway audit list"
            problem = msgspec.structs.replace(problem, detail=detail, hint=hint)
        return await self._take_up(stored, problem)

    async def go_on(self, run_id: str) -> Run:
        """Let a run go on that waited: what it waited for is decided."""
        stored = await self._load(run_id, "waiting")
        return await self._take_up(stored, self._absence(stored.run))

    async def cancel(self, run_id: str) -> Run:
        """End an interrupted or waiting turn with what it had answered."""
        stored = await self._load(run_id, "interrupted", "waiting")
        events = await self._read_events(run_id)
        live = await self._revive(stored)
        usage = stored.run.answer.usage if stored.run.answer is not None else None
        answer: Answer = cancelled_answer(stored.run, events, latency_ms=0.0, usage=usage)
        self._executions.commits.finish(live, answer, answer)
        await self._executions.lives.wait_end(live)
        return live.run

    async def _take_up(self, stored: StoredRun, problem: Problem | None) -> Run:
        run = stored.run
        checkpoint = await self._database.read(partial(read_checkpoint, run_id=run.id))
        events = await self._read_events(run.id) if problem is not None else []
        live = await self._revive(stored)
        if problem is not None:
            self._executions.fail(live, problem, events)
            return live.run
        if run.status == "interrupted":
            discard_after = STARTED_SEQ if checkpoint is None else checkpoint.seq
            self._executions.commits.append(live, RunResumed(run_id=run.id, discard_after=discard_after))
        else:
            self._executions.commits.touch(live)
        self._executions.begin(live, resumed=True, checkpoint=checkpoint.data if checkpoint is not None else None)
        return live.run

    async def _read_events(self, run_id: str) -> list[Event]:
        events: list[Event] = []
        after = 0
        while page := await self._database.read(partial(read_events, run_id=run_id, after=after, upto=None)):
            events += page
            after = page[-1].seq
            if len(page) < EVENTS_PAGE:
                break
        return events

    async def _load(self, run_id: str, *statuses: RunStatus) -> StoredRun:
        stored = await self._database.read(partial(read_run, run_id=run_id))
        if stored is None:
            raise run_not_found(run_id)
        if stored.run.status not in statuses:
            raise not_interrupted(stored.run)
        return stored

    async def _revive(self, stored: StoredRun) -> LiveRun:
        """The run, in this process again; one attempt later, when it was cut."""
        run = stored.run
        state = await self._conversations.open(run.conversation_id, run.persona, run.owner)
        if self._executions.lives.find(run.id) is not None:
            raise not_interrupted(run)
        attempts = min(run.attempts + 1, self._max_attempts) if run.status == "interrupted" else run.attempts
        again = msgspec.structs.replace(run, status="running", attempts=attempts, answer=None)
        live = LiveRun(again, stored.number, state, request_id=stored.request_id, last_seq=stored.last_seq)
        live.closure = closure_of(self._executions.commits.chain, run.id)
        live.answered = frozenset(approval.id for approval in run.answer.approvals) if run.answer else frozenset()
        self._executions.admit(live)
        self._executions.lives.wake()
        return live

    def _problem(self, run: Run) -> Problem | None:
        if run.attempts >= self._max_attempts:
            return self._absence(run) or Problem(
                code="run_interrupted",
                detail=f"the run was cut {run.attempts} times and is not tried again",
                hint="ask the question again",
            )
        return self._absence(run)

    def _absence(self, run: Run) -> Problem | None:
        if run.persona in self._executions.agents:
            return None
        return Problem(
            code="persona_not_served",
            detail=f"the persona {run.persona!r} is not served any more, so its run cannot go on",
            hint="serve the persona again, or ask another one",
        )


def not_interrupted(run: Run) -> Conflict:
    """There is nothing to resume."""
    return Conflict(f"run {run.id!r} is {run.status}, not interrupted", code="run_not_interrupted")
