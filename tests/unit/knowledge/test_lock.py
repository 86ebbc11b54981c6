from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_gateway.errors import Conflict, StorageFailed
from agent_gateway.knowledge.lock import DataLock, LockHolder, read_lock

HOLDER = """
import sys
from pathlib import Path
from agent_gateway.knowledge.lock import DataLock
lock = DataLock(Path(sys.argv[1]))
lock.acquire("http://127.0.0.1:1", "secret")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_and_told_who_holds_it(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    with pytest.raises(Conflict, match=f"in use by process {other.pid}") as raised:
        DataLock(tmp_path).acquire()
    assert raised.value.code == "data_locked"
    assert read_lock(tmp_path) == LockHolder(other.pid, "http://127.0.0.1:1", "secret")


def test_a_killed_process_holds_nothing(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert b"secret" in (tmp_path / "lock").read_bytes()
    assert read_lock(tmp_path) is None
    with DataLock(tmp_path):
        assert read_lock(tmp_path) == LockHolder(os.getpid())


def test_the_holder_can_say_later_where_it_listens(tmp_path: Path) -> None:
    lock = DataLock(tmp_path / "new")
    lock.acquire("http://127.0.0.1:1234/long", "token")
    lock.publish("http://x", "t")
    assert read_lock(tmp_path / "new") == LockHolder(os.getpid(), "http://x", "t")
    assert stat.S_IMODE((tmp_path / "new" / "lock").stat().st_mode) == 0o600
    lock.release()
    lock.release()
    assert read_lock(tmp_path / "new") is None


def test_an_old_lock_file_becomes_private(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("nonsense")
    (tmp_path / "lock").chmod(0o644)
    assert read_lock(tmp_path) is None
    with DataLock(tmp_path):
        assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600


def test_no_lock_file_means_nobody_holds_it(tmp_path: Path) -> None:
    assert read_lock(tmp_path / "missing") is None


def test_a_child_process_does_not_inherit_the_lock(tmp_path: Path) -> None:
    lock = DataLock(tmp_path)
    lock.acquire()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        lock.release()
        assert read_lock(tmp_path) is None
        child.kill()


def test_a_directory_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match="cannot lock"):
        DataLock(tmp_path / "file").acquire()
    with pytest.raises(StorageFailed, match="cannot read"):
        read_lock(tmp_path / "file")
