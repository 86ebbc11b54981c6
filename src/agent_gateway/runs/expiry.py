"""The time until approvals expire: one timer, for the next one; also for those from before a restart."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import structlog

from agent_gateway.errors import GatewayError
from agent_gateway.runs.approval_changes import OPEN, close_approvals
from agent_gateway.runs.audit_chain import AuditChain
from agent_gateway.runs.commits import GroupCommit
from agent_gateway.runs.database import Draining
from agent_gateway.runs.identifiers import Moment, moment_of

#: The clock may be set, and a machine may sleep: it is looked at again after so long.
LONGEST_SECONDS = 30.0
#: How long after a failure it is tried again.
RETRY_SECONDS = 5.0
_MICROSECONDS = 1_000_000

_log = structlog.get_logger(__name__)


class Sweep(NamedTuple):
    """The runs whose approvals have expired, and the next deadline of any approval that is still open."""

    run_ids: list[str]
    deadline: int | None


class Expiry:
    """Expires approvals in time. `on_expired` hears of the run of each."""

    def __init__(self, commits: GroupCommit, on_expired: Callable[[str], None]) -> None:
        self._commits = commits
        self._on_expired = on_expired
        self._deadline: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sweeping: set[asyncio.Task[None]] = set()
        self._closed = False

    def watch(self, deadline: int) -> None:
        """There is an approval with this deadline, in microseconds since 1970."""
        if not self._closed and (self._deadline is None or deadline < self._deadline):
            self._deadline = deadline
            self._arm()

    async def sweep(self) -> None:
        """Expire what is due, and wait for the next; `StorageFailed` when that cannot be stored."""
        self._deadline = None
        now = moment_of(self._commits.clock.now())
        swept = await self._commits.perform(partial(expire_approvals, chain=self._commits.chain, now=now))
        if swept.deadline is not None:
            self.watch(swept.deadline)
        for run_id in swept.run_ids:
            self._on_expired(run_id)

    def close(self) -> None:
        """Wait for nothing any more; what expires meanwhile is found at the next start."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._deadline is not None:
            left = self._deadline / _MICROSECONDS - time.time()
            delay = min(max(left, 0.0), LONGEST_SECONDS)
            self._timer = asyncio.get_running_loop().call_later(delay, self._look)

    def _look(self) -> None:
        if self._deadline is not None and self._deadline > time.time() * _MICROSECONDS:
            self._arm()
            return
        task = asyncio.create_task(self._sweep_again())
        self._sweeping.add(task)
        task.add_done_callback(self._sweeping.discard)

    async def _sweep_again(self) -> None:
        try:
            await self.sweep()
        except Draining:
            return
        except GatewayError as error:
            _log.error("expiry_waits", retry_seconds=RETRY_SECONDS, error=str(error))
            self.watch(round((time.time() + RETRY_SECONDS) * _MICROSECONDS))


def expire_approvals(connection: sqlite3.Connection, *, chain: AuditChain, now: Moment) -> Sweep:
    """Let every open approval whose time is over be expired, also one that was approved and not used."""
    due = connection.execute(
        f"SELECT id, run_id FROM approvals WHERE {OPEN} AND deadline <= ?",  # noqa: S608 the condition is a constant
        (now.microseconds,),
    ).fetchall()
    close_approvals(connection, chain=chain, ids=[approval_id for approval_id, _ in due], status="expired", at=now.text)
    (following,) = connection.execute(f"SELECT min(deadline) FROM approvals WHERE {OPEN}").fetchone()  # noqa: S608 as above
    return Sweep([run_id for _, run_id in due], following)
