"""Runs that wait for a human: they go on as soon as nothing that they wait for is pending any more."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from functools import partial
from itertools import chain, repeat

import structlog

from agent_gateway.errors import Conflict, GatewayError, NotFound
from agent_gateway.runs.database import Database, Draining
from agent_gateway.runs.records import decode_answer
from agent_gateway.runs.recovery import Recovery

#: When looking at a run has failed it is looked at again, after so many seconds each time, and at last every so many.
_AGAIN = (1.0, 5.0, 30.0, 120.0, 600.0)

_log = structlog.get_logger(__name__)


class Resumption:
    """Looks at a run whenever something may have changed, so that nothing depends on the order in which it did.

    That is: when the run begins to wait, when one of its approvals is decided or expires, and at the start.
    """

    def __init__(self, database: Database, recovery: Recovery) -> None:
        self._database = database
        self._recovery = recovery
        self._looking: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()

    def consider(self, run_id: str) -> None:
        """Let the run go on in the background, if it waits and nothing it waits for is pending."""
        task = asyncio.create_task(self._consider(run_id))
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def consider_all(self) -> None:
        """Look at every waiting run."""
        for run_id in await self._database.read(read_waiting):
            self.consider(run_id)

    def close(self) -> None:
        """Look at nothing again: the next process does. What has begun to go on is let go on."""
        self._closing.set()

    async def _consider(self, run_id: str) -> None:
        for seconds in chain(_AGAIN, repeat(_AGAIN[-1])):
            error = await self._look(run_id)
            if error is None:
                return
            _log.error("run_not_resumed", run_id=run_id, error=str(error), retry_seconds=seconds)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), seconds)
                return

    async def _look(self, run_id: str) -> GatewayError | None:
        """Let the run go on if it may; the error when that could not be found out."""
        try:
            if await self._database.read(partial(read_whether_decided, run_id=run_id)):
                await self._recovery.go_on(run_id)
        except (Conflict, NotFound, Draining):
            # It goes on already, was cancelled or deleted, or is taken up by the next process.
            return None
        except GatewayError as error:
            return error
        return None


def read_waiting(connection: sqlite3.Connection) -> list[str]:
    """The ids of waiting runs, oldest first."""
    rows = connection.execute("SELECT id FROM runs WHERE status = 'waiting' ORDER BY created_at")
    return [run_id for (run_id,) in rows]


def read_whether_decided(connection: sqlite3.Connection, *, run_id: str) -> bool:
    """Whether the run waits, and no approval that it waits for is pending."""
    row = connection.execute("SELECT answer FROM runs WHERE id = ? AND status = 'waiting'", (run_id,)).fetchone()
    answer = decode_answer(row[0]) if row is not None else None
    if answer is None:
        return False
    awaited = [approval.id for approval in answer.approvals]
    places = ", ".join("?" * len(awaited))
    (pending,) = connection.execute(
        f"SELECT count(*) FROM approvals WHERE status = 'pending' AND id IN ({places})",  # noqa: S608 places of parameters
        awaited,
    ).fetchone()
    return not pending
