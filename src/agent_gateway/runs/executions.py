"""The tasks that run the agents: begun by a request or by recovery, ended by an answer, an error or a cancel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog

from agent_gateway.errors import GatewayError
from agent_gateway.events import Event, EventData, RunResumed, RunStarted, Token, event_type
from agent_gateway.interfaces import Agent
from agent_gateway.messages import Answer, Problem, Run
from agent_gateway.runs.audit_chain import AuditChain
from agent_gateway.runs.commits import GroupCommit
from agent_gateway.runs.database import Database, Draining
from agent_gateway.runs.histories import Histories
from agent_gateway.runs.live import LiveRun, LiveRuns
from agent_gateway.runs.outcomes import cancelled_answer, exchange_of, failed_answer, problem_of

#: An agent that never waits for anything still lets others run once in so many events.
EMIT_BURST = 32
#: How long a cut run may take to stop while draining.
STOP_SECONDS = 2.0

_log = structlog.get_logger(__name__)


class Emitter:
    """The `emit` of one run."""

    def __init__(self, live: LiveRun, commits: GroupCommit) -> None:
        self._live = live
        self._commits = commits
        self._count = 0

    async def __call__(self, data: EventData) -> None:
        """Put an event on the run's stream; waits only when far more is pending than the disk takes."""
        if type(data) is not Token and isinstance(data, RunStarted | RunResumed | Answer | Problem):
            raise GatewayError(
                f"a stage may not emit {event_type(data)!r}: beginning and end belong to the run", code="invalid_event"
            )
        self._commits.append(self._live, data)
        self._count += 1
        if self._commits.crowded:
            await self._commits.execute()
        elif self._count % EMIT_BURST == 0:
            await asyncio.sleep(0)


class Executions:
    """The running turns. `on_finished` gets each run once its end is durable, `on_waiting` the id of one that waits."""

    def __init__(
        self,
        opened: tuple[Database, AuditChain],
        agents: Mapping[str, Agent],
        *,
        interval: float,
        on_finished: Callable[[Run], None],
        on_waiting: Callable[[str], None],
        on_outbox: Callable[[], None],
    ) -> None:
        self.agents = agents
        self.lives = LiveRuns()
        self.histories = Histories()
        self.commits = GroupCommit(*opened, interval=interval, on_over=self._conclude, on_outbox=on_outbox)
        self.draining = False
        self._on_finished = on_finished
        self._on_waiting = on_waiting
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cancelling: set[str] = set()

    @property
    def running(self) -> int:
        """How many turns are running or wait for an earlier one of their conversation."""
        return len(self._tasks)

    def check_open(self) -> None:
        """Raise `Draining` when nothing new is begun any more."""
        if self.draining:
            raise Draining

    def admit(self, live: LiveRun) -> None:
        """The run is in this process from now on, until it is over."""
        self.check_open()
        self.lives.add(live)
        self.histories.acquire(live.conversation)

    def begin(self, live: LiveRun, *, resumed: bool = False, checkpoint: bytes | None = None) -> None:
        """Run the agent in a task of its own: who asked may go away. With a checkpoint it goes on from there."""
        live.checkpointed = checkpoint is not None
        task = asyncio.create_task(self._turn(live, checkpoint, resumed=resumed), name=live.run.id)
        self._tasks[live.run.id] = task
        task.add_done_callback(partial(self._ended, live))

    async def cancel(self, live: LiveRun) -> None:
        """Stop a run and wait for its end; an agent that answers all the same is not stopped."""
        task = self._tasks.get(live.run.id)
        if task is not None:
            self._cancelling.add(live.run.id)
            task.cancel()
        await self.lives.wait_end(live)

    def fail(self, live: LiveRun, problem: Problem, earlier: Sequence[Event] = ()) -> None:
        """End a run with an error; `earlier` are its events from before this process took it up."""
        events = [*earlier, *live.so_far()]
        self.commits.finish(live, problem, failed_answer(live.run, problem, live.latency_ms, events, live.usage))

    async def drain(self, grace_seconds: float) -> None:
        """Wait for the running turns, then cut those that are left: they stay interrupted."""
        self.draining = True
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=grace_seconds)
        left = list(self._tasks.values())
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=STOP_SECONDS)

    async def _turn(self, live: LiveRun, checkpoint: bytes | None, *, resumed: bool) -> None:
        run = live.run
        structlog.contextvars.bind_contextvars(run_id=run.id, request_id=live.request_id, persona=run.persona)
        if resumed:
            # The attempt must be on disk before it starts, or a turn that kills the process would do so for ever.
            await self.commits.execute()
        async with live.conversation.turns:
            history = live.conversation.history(run.created_at)
            agent, emit = self.agents[run.persona], Emitter(live, self.commits)
            if checkpoint is None:
                answer = await agent.run(run, history, emit)
            else:
                answer = await agent.resume(run, history, emit, checkpoint)
            if answer.status == "waiting":
                self._pause(live, answer)
                return
            self.commits.finish(live, answer, answer)
            if answer.status == "completed":
                live.conversation.add(run.created_at, exchange_of(run.message, answer))

    def _pause(self, live: LiveRun, answer: Answer) -> None:
        waits_for = {approval.id for approval in answer.approvals}
        if not live.checkpointed or waits_for <= live.answered:
            # Nothing would ever wake it, or everything at once, again and again.
            raise GatewayError(
                "the agent waits without a stored state, or for nothing that is still to be decided",
                code="invalid_answer",
            )
        self.commits.pause(live, answer)

    def _ended(self, live: LiveRun, task: asyncio.Task[None]) -> None:
        self._tasks.pop(live.run.id, None)
        cancelling = live.run.id in self._cancelling
        self._cancelling.discard(live.run.id)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, GatewayError):
            _log.error("run_crashed", run_id=live.run.id, request_id=live.request_id, exc_info=error)
        if live.sealed:
            return
        if task.cancelled() and cancelling:
            answer = cancelled_answer(live.run, live.so_far(), live.latency_ms, live.usage)
            self.commits.finish(live, answer, answer)
        elif task.cancelled() and task.cancelling():
            live.interrupt()
            self.commits.touch(live, urgent=True)
        else:
            self.fail(live, problem_of(error or asyncio.CancelledError()))

    def _conclude(self, live: LiveRun) -> None:
        """The run is over: forget it, unless its end is still to be stored."""
        task = self._tasks.get(live.run.id)
        if live.unstored:
            if task is not None:
                task.cancel()
            return
        self.lives.remove(live)
        self.histories.release(live.conversation)
        # Not from here: what a listener raises must not reach the commit of other runs.
        if live.run.status == "waiting":
            asyncio.get_running_loop().call_soon(self._on_waiting, live.run.id)
        elif live.run.status != "interrupted":
            asyncio.get_running_loop().call_soon(self._on_finished, live.run)
