"""The stored interactions: one row of SQLite for each turn, on disk before the turn is answered."""

from __future__ import annotations

from datetime import UTC, datetime

import aiosqlite

TABLE = """CREATE TABLE IF NOT EXISTS interactions (
    id TEXT PRIMARY KEY, conversation_id TEXT, message TEXT, intent TEXT, tier TEXT, response TEXT, sources TEXT,
    created_at TEXT
)"""


async def open_interactions(path: str) -> aiosqlite.Connection:
    """Open the database; a committed row survives a power cut, as in the gateway."""
    database = await aiosqlite.connect(path)
    await database.execute("PRAGMA journal_mode = WAL")
    await database.execute("PRAGMA synchronous = FULL")
    await database.execute(TABLE)
    await database.commit()
    return database


async def store(database: aiosqlite.Connection, row: tuple[str, ...]) -> None:
    """Keep one interaction: the columns of the table but for the last."""
    now = datetime.now(UTC).isoformat()
    await database.execute("INSERT INTO interactions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*row, now))
    await database.commit()
