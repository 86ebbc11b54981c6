from __future__ import annotations

import asyncio
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog

from agent_gateway.errors import StorageFailed
from agent_gateway.runs import SqliteRuns
from agent_gateway.runs.audit_chain import GENESIS, Last, hash_of, make_row
from agent_gateway.runs.audit_check import AuditBroken
from agent_gateway.runs.audit_files import HEAD_FILE, KEY_FILE, read_head, write_head
from agent_gateway.runs.audit_reading import list_log, verify_log
from agent_gateway.runs.database import FILE_NAME

TRIGGERS = ("audit_has_no_gaps", "audit_is_not_changed", "audit_is_not_shortened")


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A data directory with five entries in its audit log."""
    folder = tmp_path / "data"
    await note(folder, 5)
    return folder


async def note(folder: Path, entries: int) -> None:
    """Write entries as a gateway does, in a process of its own."""
    runs = await SqliteRuns.open(folder / FILE_NAME, {})
    for number in range(entries):
        await runs.audit.note("call_denied", {"tool": "scale", "number": number, "run": f"run_{number % 2}"})
    await runs.close()


def tamper(folder: Path, *statements: str) -> None:
    """Change the database as somebody who can write it."""
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        for trigger in TRIGGERS:
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def forge(folder: Path, since: int, key: bytes = b"guessed") -> None:
    """Write the chain anew from a row on, with a key that is not the right one."""
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        rows = connection.execute("SELECT seq, at, kind, details, previous FROM audit ORDER BY seq").fetchall()
    last = Last(since - 1, rows[since - 1][4])
    statements = []
    for _, at, kind, details, _ in rows[since - 1 :]:
        row = make_row(key, last, at, kind, details.replace("scale", "read"))
        last = Last(row.seq, row.hash)
        changes = ", ".join(f"{name} = '{value}'" for name, value in row._asdict().items() if name != "seq")
        statements.append(f"UPDATE audit SET {changes} WHERE seq = {row.seq}")
    tamper(folder, *statements)


async def test_log_is_whole_over_restarts_and_its_files_are_private(folder: Path) -> None:
    await note(folder, 2)
    last = verify_log(folder)
    head = read_head(folder)
    assert head is not None
    assert (last.seq, last.hash) == (head.seq, head.hash) == (7, last.hash)
    assert [stat.S_IMODE((folder / name).stat().st_mode) for name in (KEY_FILE, HEAD_FILE)] == [0o600, 0o600]
    assert [entry.details["number"] for entry in list_log(folder)] == [0, 1, 2, 3, 4, 0, 1]
    assert [entry.seq for entry in list_log(folder, run_id="run_1", limit=2)] == [4, 7]
    assert list_log(folder, kind="effect_begun") == []


async def test_hash_is_what_the_documentation_says(folder: Path) -> None:
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        seq, at, kind, details, previous, digest = connection.execute(
            "SELECT seq, at, kind, details, previous, hash FROM audit ORDER BY seq LIMIT 1"
        ).fetchone()
    assert (previous, digest) == (GENESIS, hash_of(seq, at, kind, details, previous))
    assert details == '{"number":0,"run":"run_0","tool":"scale"}'


async def test_database_refuses_to_change_or_shorten_the_log(folder: Path) -> None:
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        for statement in (
            "UPDATE audit SET kind = 'x' WHERE seq = 3",
            "DELETE FROM audit WHERE seq = 5",
            "INSERT OR REPLACE INTO audit SELECT 3, at, kind, 'x', previous, hash, mac FROM audit WHERE seq = 3",
            "INSERT INTO audit SELECT 9, at, kind, details, previous, hash, mac FROM audit WHERE seq = 3",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)
    assert verify_log(folder).seq == 5


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (["UPDATE audit SET details = '{}' WHERE seq = 3"], "row 3 was changed"),
        (["UPDATE audit SET at = '2020' WHERE seq = 1"], "row 1 was changed"),
        (["UPDATE audit SET mac = 'ä' WHERE seq = 4"], "row 4 was not written with the key"),
        (["DELETE FROM audit WHERE seq = 3"], "row 3 is missing"),
        (["DELETE FROM audit WHERE seq = 1"], "row 1 is missing"),
        (["DELETE FROM audit WHERE seq > 3"], "row 4 is missing, and every row after it up to row 5"),
        (["DELETE FROM audit"], "row 1 is missing, and every row after it up to row 5"),
        (["DROP TABLE audit"], "row 1 is missing, and every row after it up to row 5"),
        (
            ["DELETE FROM audit WHERE seq = 3", "UPDATE audit SET seq = seq - 1 WHERE seq > 3"],
            "row 3 does not follow the row before it",
        ),
    ],
)
async def test_first_bad_row_is_named(folder: Path, statements: list[str], told: str) -> None:
    tamper(folder, *statements)
    with pytest.raises(AuditBroken, match=told):
        verify_log(folder)


@pytest.mark.parametrize("since", [1, 3, 5])
async def test_chain_that_is_written_anew_is_found(folder: Path, since: int) -> None:
    forge(folder, since)
    with pytest.raises(AuditBroken, match=f"row {since} was not written with the key"):
        verify_log(folder)


@pytest.mark.parametrize("hide", [HEAD_FILE, KEY_FILE])
async def test_missing_files_are_no_way_out(folder: Path, hide: str) -> None:
    tamper(folder, "DELETE FROM audit WHERE seq > 3")
    (folder / hide).unlink()
    with pytest.raises(StorageFailed, match=f"{hide} is missing"):
        verify_log(folder)


async def test_head_of_another_key_is_no_head(folder: Path) -> None:
    tamper(folder, "DELETE FROM audit WHERE seq > 3")
    head = read_head(folder)
    assert head is not None
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        (digest,) = connection.execute("SELECT hash FROM audit WHERE seq = 3").fetchone()
    write_head(folder, type(head)(seq=3, hash=digest, mac=head.mac))
    with pytest.raises(AuditBroken, match=r"audit\.head was not written with the key"):
        verify_log(folder)


async def test_kill_between_commit_and_head_is_no_tampering_and_the_next_start_catches_up(folder: Path) -> None:
    behind = folder / HEAD_FILE
    older = behind.read_bytes()
    await note(folder, 3)
    behind.write_bytes(older)
    assert verify_log(folder).seq == 8
    await note(folder, 0)
    head = read_head(folder)
    assert head is not None
    assert (head.seq, verify_log(folder).seq) == (8, 8)
    tamper(folder, "DELETE FROM audit WHERE seq > 7")
    with pytest.raises(AuditBroken):
        verify_log(folder)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: tamper(folder, "DELETE FROM audit WHERE seq > 3"),
        lambda folder: forge(folder, 5),
        lambda folder: (folder / HEAD_FILE).unlink(),
    ],
)
async def test_start_does_not_cover_up_what_was_done(folder: Path, damage: Callable[[Path], None]) -> None:
    damage(folder)
    with structlog.testing.capture_logs() as logs:
        await note(folder, 3)
    assert [each["event"] for each in logs if each["log_level"] == "error"] == ["audit_broken"]
    with pytest.raises(AuditBroken):
        verify_log(folder)


async def test_log_without_its_key_is_not_appended_to(folder: Path) -> None:
    (folder / KEY_FILE).unlink()
    with pytest.raises(StorageFailed) as caught:
        await note(folder, 1)
    assert (caught.value.code, KEY_FILE in caught.value.detail) == ("audit_key_missing", True)
    (folder / KEY_FILE).write_text("no key\n")
    with pytest.raises(StorageFailed, match="cannot be read"):
        await note(folder, 1)


async def test_older_copy_of_everything_is_found_with_a_head_that_was_noted(folder: Path, tmp_path: Path) -> None:
    older = shutil.copytree(folder, tmp_path / "older")
    await note(folder, 2)
    noted = verify_log(folder)
    assert verify_log(older).seq == 5
    assert verify_log(folder, noted) == noted
    with pytest.raises(AuditBroken, match=r"row 7 is not the one with the hash"):
        verify_log(older, noted)


async def test_nothing_logged_is_whole(tmp_path: Path) -> None:
    assert verify_log(tmp_path) == Last(0, GENESIS)
    await note(tmp_path, 0)
    assert verify_log(tmp_path) == Last(0, GENESIS)
    assert list_log(tmp_path) == []


@pytest.fixture
def read_only(folder: Path) -> Iterator[Path]:
    """The data directory, where no new file can be written."""
    blocker = folder / f"{HEAD_FILE}.new"
    blocker.mkdir()
    yield folder
    blocker.rmdir()


async def test_head_that_cannot_be_written_stops_nothing_and_stays_behind(read_only: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        await note(read_only, 2)
    assert {each["event"] for each in logs} == {"audit_head_not_written"}
    head = read_head(read_only)
    assert head is not None
    assert (head.seq, verify_log(read_only).seq) == (5, 7)


async def test_a_backup_in_the_documented_order_can_be_restored_whenever_it_was_made(tmp_path: Path) -> None:
    """Key and head first, then the database, while the gateway writes."""
    runs = await SqliteRuns.open(tmp_path / "data" / FILE_NAME, {})
    over = False

    async def write() -> None:
        while not over:
            await runs.audit.note("call_denied", {"tool": "scale"})

    writing = asyncio.create_task(write())
    for number in range(5):
        await asyncio.sleep(0.02)
        await asyncio.to_thread(back_up, tmp_path / "data", tmp_path / str(number))
    over = True
    await writing
    await runs.close()
    for number in range(5):
        restored = await SqliteRuns.open(tmp_path / str(number) / FILE_NAME, {})
        await restored.close()
        verify_log(tmp_path / str(number))


def back_up(folder: Path, target: Path) -> None:
    """As docs/operations.md says."""
    target.mkdir()
    for name in (KEY_FILE, HEAD_FILE):
        shutil.copy(folder / name, target)
    # The database goes on meanwhile.
    time.sleep(0.02)
    with closing(sqlite3.connect(folder / FILE_NAME)) as source, closing(sqlite3.connect(target / FILE_NAME)) as copy:
        source.backup(copy)
