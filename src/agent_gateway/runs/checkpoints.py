"""The states from which turns go on in the middle, one a run."""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import NamedTuple

from agent_gateway.errors import Conflict
from agent_gateway.runs.closure import closure_of
from agent_gateway.runs.commits import GroupCommit
from agent_gateway.runs.database import Database
from agent_gateway.runs.live import LiveRuns


class Checkpoint(NamedTuple):
    """A stored state; `seq` is the run's last event before it."""

    data: bytes
    seq: int


class SqliteCheckpoints:
    """The `Checkpoints` of a gateway."""

    def __init__(self, database: Database, commits: GroupCommit, lives: LiveRuns) -> None:
        self._database = database
        self._commits = commits
        self._lives = lives

    async def put(self, run_id: str, data: bytes) -> None:
        """Store the state of a run that is going on, with what it has emitted so far; durable on return.

        `Conflict` (code `run_ended`) when the run is not going on.
        """
        live = self._lives.find(run_id)
        if live is None or live.sealed:
            raise Conflict(f"run {run_id!r} is not going on", code="run_ended")
        live.closure = closure_of(self._commits.chain, run_id)
        live.part()
        row = (run_id, data, live.last_seq, self._commits.clock.now())
        if not await self._commits.perform(partial(write_checkpoint, row=row)):
            raise Conflict(f"run {run_id!r} is not going on", code="run_ended")
        live.checkpointed = True

    async def get(self, run_id: str) -> bytes | None:
        """The stored state, None when there is none."""
        found = await self._database.read(partial(read_checkpoint, run_id=run_id))
        return None if found is None else found.data

    async def remove(self, run_id: str) -> None:
        """Forget the state: a cut run begins again from its message. Durable on return."""
        live = self._lives.find(run_id)
        if live is not None:
            live.checkpointed = False
        await self._commits.execute(("DELETE FROM checkpoints WHERE run_id = ?", (run_id,)))


def write_checkpoint(connection: sqlite3.Connection, *, row: tuple[str, bytes, int, str]) -> bool:
    """Store a state in place of the one before; False when its run could not be stored, or was deleted."""
    if connection.execute("SELECT 1 FROM runs WHERE id = ?", row[:1]).fetchone() is None:
        return False
    connection.execute(
        "INSERT INTO checkpoints (run_id, data, seq, at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (run_id) DO UPDATE SET data = excluded.data, seq = excluded.seq, at = excluded.at",
        row,
    )
    return True


def read_checkpoint(connection: sqlite3.Connection, *, run_id: str) -> Checkpoint | None:
    """The state of a run."""
    row = connection.execute("SELECT data, seq FROM checkpoints WHERE run_id = ?", (run_id,)).fetchone()
    return None if row is None else Checkpoint(*row)
