"""Interactions that are taken back while they wait for the knowledge base: in a gateway, or with none running."""

from __future__ import annotations

import asyncio
import sqlite3
from functools import partial
from pathlib import Path

from agent_gateway.interfaces import Forgetting
from agent_gateway.runs.commits import GroupCommit
from agent_gateway.runs.database import Database
from agent_gateway.runs.identifiers import Clock
from agent_gateway.runs.outbox import decode_interaction, forget_row


class RunningWithdrawal:
    """Implements `Undelivered` beside runs that go on."""

    def __init__(self, commits: GroupCommit) -> None:
        self._commits = commits

    async def withdraw(self, which: Forgetting) -> tuple[str, ...]:
        """Take back those that match, also those that are on their way; `StorageFailed` when that was not stored."""
        return await self._commits.perform(partial(withdraw_rows, which=which, at=self._commits.clock.now()))


class StoredWithdrawal:
    """Implements `Undelivered` for the database that no gateway has open; the caller holds the directory's lock."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def withdraw(self, which: Forgetting) -> tuple[str, ...]:
        """Take back those that match; nothing when there never was a run. `StorageFailed` as for a gateway."""
        if not await asyncio.to_thread(self._path.is_file):
            return ()
        database, found = await Database.open(self._path, partial(withdraw_rows, which=which, at=Clock().now()))
        await database.close()
        return found


def withdraw_rows(connection: sqlite3.Connection, *, which: Forgetting, at: str) -> tuple[str, ...]:
    """Delete the rows that match, or with `dry_run` only find them; returns the ids of their runs.

    A batch that has been read already arrives all the same: so it is queued that it is forgotten again.
    """
    rows = connection.execute("SELECT id, payload FROM outbox WHERE kind = 'remember'").fetchall()
    read = ((row, decode_interaction(payload)) for row, payload in rows)
    found = {row: interaction.run_id for row, interaction in read if interaction and which.matches(interaction)}
    run_ids = tuple(dict.fromkeys(found.values()))
    if found and not which.dry_run:
        # Before the rows go: SQLite gives a number that is free again to the next row, and this one must come last.
        connection.execute(*forget_row(run_ids, at))
        connection.executemany("DELETE FROM outbox WHERE id = ?", [(row,) for row in found])
    return run_ids
