"""Reading a run database from outside, also while a gateway writes to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent_gateway.runs.database import BUSY_TIMEOUT_MS, storage_failure


@contextmanager
def open_snapshot(path: Path, table: str) -> Iterator[sqlite3.Connection | None]:
    """One snapshot of a run database, to read only; None when it has no such table yet, or there is no database.

    `StorageFailed` when it cannot be read.
    """
    if not path.exists():
        yield None
        return
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("BEGIN")
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        yield connection if known else None
    except sqlite3.Error as error:
        raise storage_failure(error, path) from error
    finally:
        if connection is not None:
            connection.close()
