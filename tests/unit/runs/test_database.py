from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from agent_gateway.errors import StorageFailed
from agent_gateway.messages import ROLES
from agent_gateway.runs import Draining, SqliteRuns
from agent_gateway.runs.database import Database
from agent_gateway.runs.migrations import MIGRATIONS, migrate
from agent_gateway.runs.records import read_run


def nothing(connection: sqlite3.Connection) -> None:
    """The first transaction of a database that needs none."""


async def test_file_is_private_durable_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "runs.db"
    database, _ = await Database.open(path, nothing)

    def settings(connection: sqlite3.Connection) -> tuple[object, ...]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "user_version")
        return tuple(connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)

    assert await database.writer.submit(settings) == ("wal", 2, 1, 5_000, len(MIGRATIONS))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(StorageFailed):
        await database.reader.submit(lambda connection: connection.execute("DELETE FROM runs"))
    await database.close()
    with pytest.raises(Draining):
        await database.read(settings)


async def test_failed_write_is_rolled_back_and_the_next_one_works(tmp_path: Path) -> None:
    database, _ = await Database.open(tmp_path / "runs.db", nothing)
    insert = "INSERT INTO outbox (id, kind, payload, created_at) VALUES (1, 'forget', '[]', '')"

    def twice(connection: sqlite3.Connection) -> None:
        connection.execute(insert)
        connection.execute(insert)

    with pytest.raises(StorageFailed):
        await database.write(twice)
    await database.write(lambda connection: connection.execute(insert))
    assert await database.read(lambda connection: connection.execute("SELECT id FROM outbox").fetchall()) == [(1,)]
    await database.close()


async def test_newer_schema_is_refused_with_both_versions(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StorageFailed, match="schema version 99, this program knows up to 3"):
        await SqliteRuns.open(path, {})


async def test_damaged_file_and_forbidden_folder_are_clear_errors(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"this is not a database" * 1_000)
    with pytest.raises(StorageFailed, match="not a database"):
        await SqliteRuns.open(damaged, {})
    with pytest.raises(StorageFailed, match="cannot write"):
        await SqliteRuns.open(damaged / "below" / "runs.db", {})


def test_migrations_bring_an_old_schema_forward_step_by_step() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    connection.execute("INSERT INTO outbox (kind, payload, created_at) VALUES ('forget', '[]', '')")
    later = (*MIGRATIONS, "ALTER TABLE outbox ADD COLUMN tries INTEGER NOT NULL DEFAULT 7")
    migrate(connection, later)
    migrate(connection, later)
    assert connection.execute("SELECT kind, tries FROM outbox").fetchall() == [("forget", 7)]
    assert connection.execute("PRAGMA user_version").fetchone() == (len(later),)
    connection.close()


def test_runs_from_before_roles_have_all_of_them() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, MIGRATIONS[:2])
    connection.execute("INSERT INTO conversations VALUES ('conv_1', 'bruno', 'local', 'hi', '', '')")
    connection.execute(
        "INSERT INTO runs VALUES (1, 'run_1', 'conv_1', 'bruno', 'local', 'hi', '', 'interrupted', 1, '', NULL, NULL)"
    )
    migrate(connection)
    stored = read_run(connection, run_id="run_1")
    assert stored is not None
    assert (stored.run.roles, stored.last_seq, stored.number) == (ROLES, 0, 1)
    connection.close()


def test_failed_migration_changes_nothing() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    with pytest.raises(sqlite3.Error):
        migrate(connection, (*MIGRATIONS, "CREATE TABLE extra (id); CREATE TABLE extra (id)"))
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'extra'").fetchone() == (0,)
    connection.close()


def test_unfinished_runs_are_found_by_index() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    plan = connection.execute(
        "EXPLAIN QUERY PLAN SELECT id FROM runs WHERE status IN ('running', 'interrupted') AND status = 'running'"
    ).fetchall()
    assert "runs_unfinished" in str(plan)
    connection.close()
