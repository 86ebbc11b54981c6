"""The SQLite file, off the event loop: one thread writes, another reads, each with its own connection."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

from agent_gateway.errors import StorageFailed, Unavailable
from agent_gateway.runs.migrations import migrate

T = TypeVar("T")

#: The database in a data directory.
FILE_NAME = "runs.sqlite3"
BUSY_TIMEOUT_MS = 5_000
WAL_LIMIT_BYTES = 64 * 1024 * 1024


class Draining(Unavailable):
    """The gateway is shutting down: ask again, or follow the run again, after the restart."""

    code = "shutting_down"

    def __init__(self) -> None:
        super().__init__("the gateway is shutting down", hint="try again in a moment", retry_after=5)


class Lane:
    """One thread with its own connection; work is done in the order it was submitted."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._connection: sqlite3.Connection | None = None

    def submit(self, work: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """Run `work` in the thread; its SQLite errors arrive as `StorageFailed`."""
        return asyncio.get_running_loop().run_in_executor(self._threads, self._call, work)

    async def close(self) -> None:
        """Close the connection and end the thread, after what was submitted before."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._disconnect)
        self._threads.shutdown(wait=False)

    def _call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(self._path, isolation_level=None)
            return work(self._connection)
        except sqlite3.Error as error:
            raise storage_failure(error, self._path) from error

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()


class Database:
    """The run database, open: `write` is one transaction, `read` sees what is committed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer = Lane(path, "runs-writer")
        self.reader = Lane(path, "runs-reader")
        self._closed = False

    @classmethod
    async def open(cls, path: Path, first: Callable[[sqlite3.Connection], T]) -> tuple[Self, T]:
        """Open or create the file, bring its schema up to date, then do `first` in a transaction.

        Returns the database and what `first` returned; `StorageFailed` when any of it cannot be done.
        """
        database = cls(path)
        opened = False
        try:
            await asyncio.to_thread(_create_file, path)
            await database.writer.submit(_prepare_writing)
            done = await database.write(first)
            await database.reader.submit(_prepare_reading)
            opened = True
        finally:
            if not opened:
                await database.close()
        return database, done

    def write(
        self, work: Callable[[sqlite3.Connection], T], then: Callable[[sqlite3.Connection], None] | None = None
    ) -> asyncio.Future[T]:
        """Do `work` in one transaction that is durable when the future is done, and rolled back when `work` raises.

        `then` is called once it is durable, and before the future is done.
        """

        def transaction(connection: sqlite3.Connection) -> T:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                done = work(connection)
            if then is not None:
                then(connection)
            return done

        self._check_open()
        return self.writer.submit(transaction)

    def read(self, query: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """Run a query on one consistent snapshot of what is committed."""

        def snapshot(connection: sqlite3.Connection) -> T:
            with connection:
                connection.execute("BEGIN")
                return query(connection)

        self._check_open()
        return self.reader.submit(snapshot)

    async def close(self) -> None:
        """End both threads; later calls raise `Draining`."""
        if not self._closed:
            self._closed = True
            await self.reader.close()
            await self.writer.close()

    def _check_open(self) -> None:
        if self._closed:
            raise Draining


def storage_failure(error: sqlite3.Error, path: Path) -> StorageFailed:
    """What a SQLite error means to a person."""
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return StorageFailed("the disk is full: the run could not be stored", hint=f"free space for {path.parent}")
    return StorageFailed(f"the run database failed: {error}", hint=f"check that {path} is readable, writable and whole")


def _create_file(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # What people wrote is nobody else's business; SQLite gives its -wal and -shm files the same mode.
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise StorageFailed(
            f"cannot write {path}: {error.strerror}", hint="check the permissions of --data-dir"
        ) from error


def _prepare_writing(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
    migrate(connection)


def _prepare_reading(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA query_only = ON")
