"""The LanceDB connection: opens, creates and drops tables, and gives each one writer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import structlog

from agent_gateway.errors import NotFound, StorageFailed
from agent_gateway.knowledge.lance import lancedb

_LOGGER = structlog.get_logger(__name__)
#: Versions of a table that nobody can be reading any more.
_KEEP_VERSIONS = timedelta(minutes=10)
#: Of indexes and of metadata, each: turns are answered from our own memory, so LanceDB need not keep 7 GB in its.
CACHE_BYTES = 1024 * 1024


@contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Turn what LanceDB and the file system raise into `StorageFailed`."""
    try:
        yield
    except (OSError, RuntimeError, ValueError, pa.ArrowException) as error:
        raise StorageFailed(f"{what}: {error}", hint="check the disk and the data directory") from error


class Tables:
    """Tables by name. Two writers of one table duplicate rows without an error, so `writing` admits one at a time."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._tables: dict[str, Any] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._revisions: dict[str, int] = {}
        self._untidy: set[str] = set()

    @classmethod
    async def open(cls, path: Path, cache_bytes: int = CACHE_BYTES) -> Self:
        """Connect to the database in a folder, which is made when missing."""
        # Arrow's own allocator keeps what was once used; the C library's gives it back.
        pa.set_memory_pool(pa.system_memory_pool())
        session = lancedb.Session(index_cache_size_bytes=cache_bytes, metadata_cache_size_bytes=cache_bytes)
        with storage_errors("cannot open the knowledge base"):
            # Absolute: LanceDB takes names that begin with "db" for addresses of its cloud.
            address = await asyncio.to_thread(_make_folder, path)
            tables = cls(await lancedb.connect_async(address, session=session))
        tables._untidy.update(await tables.list_names())
        return tables

    def close(self) -> None:
        """Let go of the database."""
        self._tables.clear()
        self._connection.close()

    async def list_names(self) -> list[str]:
        """All tables."""
        names: list[str] = []
        token: str | None = None
        with storage_errors("cannot list the collections"):
            while True:
                page = await self._connection.list_tables(page_token=token)
                names += page.tables
                token = page.page_token
                if not token:
                    return sorted(names)

    async def find(self, name: str) -> Any | None:
        """The table, or None."""
        if name not in self._tables:
            if name not in await self.list_names():
                return None
            with storage_errors(f"cannot open the collection {name!r}"):
                self._tables[name] = await self._connection.open_table(name)
        return self._tables[name]

    async def get(self, name: str) -> Any:
        """The table; `NotFound` when there is none."""
        table = await self.find(name)
        if table is None:
            hint = "list them with `agent-gateway collections`"
            raise NotFound(f"there is no collection {name!r}", code="collection_not_found", hint=hint)
        return table

    async def create(self, name: str, data: Any, *, replace: bool = False) -> Any:
        """Make a table of Arrow data (whose schema may be all it has); with `replace` instead of the one there is."""
        with storage_errors(f"cannot create the collection {name!r}"):
            mode = "overwrite" if replace else "create"
            self._tables[name] = await self._connection.create_table(name, data=data, mode=mode)
        return self._tables[name]

    async def drop(self, name: str) -> None:
        """Remove a table; `NotFound` when there is none."""
        await self.get(name)
        async with self.writing(name):
            self._tables.pop(name, None)
            await self._connection.drop_table(name)
        self._untidy.discard(name)

    @asynccontextmanager
    async def writing(self, name: str) -> AsyncIterator[None]:
        """Be the only writer of a table; afterwards it counts as changed."""
        lock = self._locks.setdefault(name, asyncio.Lock())
        async with lock:
            with storage_errors(f"cannot write the collection {name!r}"):
                yield
            self._revisions[name] = self._revisions.get(name, 0) + 1
            self._untidy.add(name)

    def revision(self, name: str) -> int:
        """Counts the writes to a table in this process: unchanged means that what was loaded is current."""
        return self._revisions.get(name, 0)

    async def tidy(self, name: str) -> None:
        """Merge small files, bring indexes up to date and remove old versions, if anything was written since."""
        if name not in self._untidy:
            return
        async with self._locks.setdefault(name, asyncio.Lock()):
            table = await self.find(name)
            if table is not None:
                with storage_errors(f"cannot optimize the collection {name!r}"):
                    await table.optimize(cleanup_older_than=_KEEP_VERSIONS)
            self._untidy.discard(name)

    async def tidy_regularly(self, every: float = 300.0) -> None:
        """Tidy all tables every so many seconds, until cancelled."""
        while True:
            await asyncio.sleep(every)
            for name in sorted(self._untidy):
                try:
                    await self.tidy(name)
                except StorageFailed as error:
                    # The rows are safe, searching them only stays slower: the next round tries again.
                    _LOGGER.warning("tidy_failed", collection=name, error=str(error))


def _make_folder(path: Path) -> str:
    path.mkdir(parents=True, exist_ok=True)
    return str(path.resolve())
