"""Group commit: the operations of all runs go into one transaction, and are shown once it is durable.

The window of a batch opens with its first operation. It closes after the interval, or at once when a run ends. While a
transaction is being written the next batch collects. Everything here runs in the event loop; only the writing does not.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import structlog

from agent_gateway.errors import GatewayError
from agent_gateway.events import Event, EventData
from agent_gateway.messages import Answer
from agent_gateway.runs.audit_chain import AuditChain
from agent_gateway.runs.batch import Batch, Row, Statement, Transaction, Work
from agent_gateway.runs.database import Database, Draining
from agent_gateway.runs.drafts import microseconds
from agent_gateway.runs.errands import Errand
from agent_gateway.runs.identifiers import Clock
from agent_gateway.runs.live import LiveRun
from agent_gateway.runs.outcomes import failed_answer, problem_of

#: Runs that emit faster than the disk takes it wait once this many bytes are pending.
PENDING_LIMIT = 4 * 1024 * 1024
#: Ends of runs kept in memory while the disk takes nothing; older ones are given up and found interrupted later.
UNSTORED_LIMIT = 1_000
#: Model uses kept meanwhile; older ones are lost.
UNSTORED_USES_LIMIT = 10_000

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class GroupCommit:
    """The one way into the database. `on_over` hears of each run that is over, after its followers can see it.

    `chain` is the audit log that works append to.
    """

    def __init__(
        self,
        database: Database,
        chain: AuditChain,
        *,
        interval: float,
        on_over: Callable[[LiveRun], None],
        on_outbox: Callable[[], None],
    ) -> None:
        self._database = database
        self.chain = chain
        self.clock = Clock()
        self._interval = interval
        self._on_over = on_over
        self._on_outbox = on_outbox
        self._batch = Batch()
        self._window: asyncio.TimerHandle | None = None
        self._due = self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writing: asyncio.Future[None] | None = None
        self._unstored: dict[str, LiveRun] = {}

    def append(self, live: LiveRun, data: EventData) -> None:
        """Put an event on the run's stream; it is shown when it is durable."""
        if not live.sealed:
            self._batch.size += live.append(data)
            self.touch(live)

    def finish(self, live: LiveRun, end: EventData, answer: Answer) -> None:
        """End a run: its last event, its outcome and all it still has pending go into the very next commit."""
        if live.sealed:
            return
        at = self.clock.now()
        live.finish(end, answer, at)
        live.conversation.updated_at = at
        self.touch(live, urgent=True)

    def pause(self, live: LiveRun, answer: Answer) -> None:
        """Let a run wait for a human: all it has pending, and what it waits for, go into the very next commit."""
        if live.sealed:
            return
        live.pause(answer)
        live.conversation.updated_at = self.clock.now()
        self.touch(live, urgent=True)

    def touch(self, live: LiveRun, *, urgent: bool = False) -> None:
        """The run has something to store."""
        self._batch.runs[live.run.id] = live
        self._schedule(urgent=urgent)

    def remember(self, live: LiveRun | None, payload: bytes) -> None:
        """Queue an outbox row, with the run it belongs to when that is still going on."""
        if live is None:
            self._batch.remembered.append(payload)
            self._schedule()
        elif not live.sealed:
            live.outbox.append(payload)
            self.touch(live)

    def note(self, use: Row) -> None:
        """Store a model use, a row of its table, with the next commit; nobody waits for it."""
        self._batch.uses.append(use)
        self._schedule()

    async def execute(self, *statements: Statement) -> None:
        """Store these, and everything before them, now; returns when durable, `StorageFailed` when it failed."""
        await self._request(statements)

    async def perform(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do this in the very next transaction, after everything before it; its result once it is durable.

        A `GatewayError` that it raises undoes nothing, and is raised here, once what it wrote is durable.
        `StorageFailed` when nothing was stored. It must not raise anything else. It is done also when the caller is
        cancelled.
        """
        errand = Errand(work)
        await self._request((), errand.do)
        return errand.result()

    @property
    def crowded(self) -> bool:
        """Whether so much is pending that who emits should `execute`, that is wait for the disk."""
        return self._batch.size > PENDING_LIMIT

    def give_up(self, live: LiveRun) -> None:
        """Do not try any more to store how this run ended."""
        if live.unstored:
            self._unstored.pop(live.run.id, None)
            live.unstored = False
            self._on_over(live)

    async def flush(self) -> None:
        """Store what is pending, as far as that is possible."""
        await asyncio.wait([waiter := self._request(())])
        waiter.exception()  # Logged already; there is nobody to tell.
        while self._writing is not None:
            await asyncio.wait([self._writing])

    async def close(self) -> None:
        """Flush; later operations raise `Draining` or, when nobody waits for them, do nothing."""
        await self.flush()
        self._closed = True

    def _request(self, statements: tuple[Statement, ...], *works: Work) -> asyncio.Future[None]:
        if self._closed:
            raise Draining
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._batch.statements += statements
        self._batch.works += works
        self._batch.waiters.append(waiter)
        self._schedule(urgent=True)
        return waiter

    def _schedule(self, *, urgent: bool = False) -> None:
        if self._due or self._closed:
            return
        loop = self._loop = self._loop or asyncio.get_running_loop()
        if urgent:
            self._due = True
            # Not at once: other runs may end in the same pass of the loop.
            loop.call_soon(self._write)
        elif self._window is None:
            self._window = loop.call_later(self._interval, self._close_window)

    def _close_window(self) -> None:
        self._due = True
        self._write()

    def _write(self) -> None:
        if self._writing is not None or not self._due:
            return
        if self._window is not None:
            self._window.cancel()
            self._window = None
        batch, self._batch, self._due = self._batch, Batch(), False
        transaction, sealed = batch.seal(self.clock.now())
        self._writing = self._submit(transaction)
        self._writing.add_done_callback(partial(self._written, batch, transaction, sealed))

    def _submit(self, transaction: Transaction) -> asyncio.Future[None]:
        # Only works append to the audit log.
        return self._database.write(transaction.write, self.chain.settle if transaction.works else None)

    def _written(
        self,
        batch: Batch,
        transaction: Transaction,
        sealed: list[tuple[LiveRun, list[Event]]],
        writing: asyncio.Future[None],
    ) -> None:
        self._writing = None
        error = writing.exception()
        if error is not None:
            _log_failure(error, [live.run.id for live, _ in sealed])
            # They try again with the next commit, whenever that comes.
            self._batch.uses = [*batch.uses, *self._batch.uses][-UNSTORED_USES_LIMIT:]
        for live, events in sealed:
            if error is None:
                live.publish(events)
            else:
                self._lose(live, error)
            if live.over:
                self._on_over(live)
        for waiter in batch.waiters:
            if not waiter.done():
                waiter.set_result(None) if error is None else waiter.set_exception(error)
        if error is None and (transaction.outbox or transaction.works):
            # Works are rare; the deletion of a conversation is one, and what it forgets must not wait.
            self._on_outbox()
        if self._due:
            self._write()
        elif error is None and self._unstored:
            self._store_lost_ends()

    def _lose(self, live: LiveRun, error: BaseException) -> None:
        if live.outcome.status == "interrupted":
            # The row still says running, which the next start takes for interrupted just the same.
            live.take_drafts()
            live.publish([])
            return
        problem = problem_of(error)
        answer = failed_answer(live.run, problem, live.latency_ms, live.events, live.usage)
        live.drop(problem, answer, self.clock.now())
        self._batch.runs.pop(live.run.id, None)
        self._unstored[live.run.id] = live
        if len(self._unstored) > UNSTORED_LIMIT:
            self.give_up(next(iter(self._unstored.values())))

    def _store_lost_ends(self) -> None:
        ends, self._unstored = self._unstored, {}
        transaction = Transaction()
        for live in ends.values():
            end = live.events[-1]
            transaction.add_row(live)
            transaction.events.append((live.number, end.seq, end.type, end.data, microseconds()))
        self._writing = self._submit(transaction)
        self._writing.add_done_callback(partial(self._stored_lost_ends, ends))

    def _stored_lost_ends(self, ends: dict[str, LiveRun], writing: asyncio.Future[None]) -> None:
        self._writing = None
        # Some may have been given up meanwhile.
        ends = {run_id: live for run_id, live in ends.items() if live.unstored}
        if writing.exception() is None:
            for live in ends.values():
                live.unstored = False
                self._on_over(live)
        else:
            self._unstored = ends | self._unstored
        if self._due:
            self._write()


def _log_failure(error: BaseException, run_ids: list[str]) -> None:
    bug = None if isinstance(error, GatewayError) else error
    _log.error("commit_failed", runs=run_ids, error=str(error), exc_info=bug)
