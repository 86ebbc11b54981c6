"""The data directory's lock: one process writes it, and tells the others where it can be reached."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from agent_gateway.errors import Conflict, StorageFailed

_NAME = "lock"
#: A reader holds the lock for an instant when it looks whether somebody else does.
_ATTEMPTS, _PAUSE_SECONDS = 20, 0.01


class LockHolder(msgspec.Struct, frozen=True):
    """The process that holds the lock; what is behind `pid` is empty when it serves no one.

    The control socket is opened with `token`; the personas are below `gateway_url`.
    """

    pid: int
    control_url: str = ""
    token: str = ""
    gateway_url: str = ""


class DataLock:
    """An exclusive lock on a data directory, which ends with the process at the latest."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / _NAME
        self._file: int | None = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def acquire(self, control_url: str = "", token: str = "") -> None:
        """Take the lock; `Conflict` with code `data_locked` when another process has it. Waits 0.2 s at most."""
        try:
            # Questions, answers and documents are nobody else's business.
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageFailed(f"cannot lock the data directory: {error}", hint="check its permissions") from error
        for attempt in range(_ATTEMPTS):
            if _try_lock(file, fcntl.LOCK_EX):
                self._file = file
                self.publish(control_url, token)
                return
            if attempt + 1 < _ATTEMPTS:
                time.sleep(_PAUSE_SECONDS)
        holder = _read_holder(file)
        os.close(file)
        who = f"process {holder.pid}" if holder else "another process"
        raise Conflict(
            f"the data directory {str(self._path.parent)!r} is in use by {who}",
            code="data_locked",
            hint="stop it, or choose another --data-dir",
        )

    def publish(self, control_url: str, token: str, gateway_url: str = "") -> None:
        """Tell other processes of the same user where this one listens."""
        assert self._file is not None, "the lock is not held"
        content = msgspec.json.encode(LockHolder(os.getpid(), control_url, token, gateway_url))
        try:
            os.fchmod(self._file, 0o600)
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, content, 0)
        except OSError as error:
            raise StorageFailed(f"cannot write the lock of the data directory: {error}") from error

    def release(self) -> None:
        """Give the lock back; without it nothing happens."""
        file, self._file = self._file, None
        if file is not None:
            os.ftruncate(file, 0)
            os.close(file)


def read_lock(data_dir: Path) -> LockHolder | None:
    """The process that holds the lock of a data directory; None when nobody does, whatever an old lock file says."""
    try:
        file = os.open(data_dir / _NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageFailed(f"cannot read the lock of the data directory: {error}") from error
    try:
        if _try_lock(file, fcntl.LOCK_SH):
            return None
        # Held, but perhaps not described yet: whoever takes the lock writes at once.
        for _ in range(_ATTEMPTS):
            if (holder := _read_holder(file)) is not None:
                return holder
            time.sleep(_PAUSE_SECONDS)
        return None if _try_lock(file, fcntl.LOCK_SH) else LockHolder(pid=0)
    finally:
        os.close(file)


def _try_lock(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _read_holder(file: int) -> LockHolder | None:
    try:
        return msgspec.json.decode(os.pread(file, 65536, 0), type=LockHolder)
    except msgspec.DecodeError:
        return None
