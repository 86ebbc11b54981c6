"""The administration of collections: in the running gateway, or here while no other process has the data directory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from agent_gateway.api.shapes import SearchHit, SearchReply
from agent_gateway.cli.control import ControlClient
from agent_gateway.cli.local_library import open_library
from agent_gateway.cli.lookup import find_gateway
from agent_gateway.cli.plugin_commands import open_registry
from agent_gateway.cli.waiting import StartNotice
from agent_gateway.client import wait_until_ready
from agent_gateway.config import Configuration
from agent_gateway.errors import NotFound
from agent_gateway.interfaces import CollectionInfo, Forgetting, Ingestion, IngestProgress, Knowledge, SearchQuery
from agent_gateway.knowledge.lock import DataLock
from agent_gateway.logs import configure_logs


class Administration(Ingestion, Protocol):
    """What the commands on collections and memories need."""

    async def search(self, query: str, collection: str, limit: int) -> SearchReply:
        """Passages of one collection, best first; `NotFound` when there is no such collection."""
        ...


class LocalAdministration:
    """The same objects that a gateway uses, in this process."""

    def __init__(self, knowledge: Knowledge, ingestion: Ingestion) -> None:
        self._knowledge = knowledge
        self._ingestion = ingestion

    def ingest(self, path: str, collection: str) -> AsyncIterator[IngestProgress]:
        """Bring a collection up to date with a file or folder."""
        return self._ingestion.ingest(path, collection)

    async def drop(self, collection: str) -> None:
        """Remove a collection."""
        await self._ingestion.drop(collection)

    async def collections(self) -> tuple[CollectionInfo, ...]:
        """Every collection with its size."""
        return await self._ingestion.collections()

    async def forget(self, which: Forgetting) -> int:
        """Forget remembered interactions, or only count them."""
        return await self._ingestion.forget(which)

    async def search(self, query: str, collection: str, limit: int) -> SearchReply:
        """Passages of one collection, best first."""
        names = self._knowledge.names()
        if collection not in names:
            there = ", ".join(sorted(names)) or "none yet"
            raise NotFound(
                f"there is no collection '{collection}'", code="collection_not_found", hint=f"there are: {there}"
            )
        found = await self._knowledge.search(SearchQuery(text=query, collections=(collection,), limit=limit))
        return SearchReply(passages=tuple(map(SearchHit.of, found.passages)), answerable=found.answerable)


@asynccontextmanager
async def open_administration(configuration: Configuration, *, quiet: bool) -> AsyncIterator[Administration]:
    """Reach the running gateway once it is ready, else lock the data directory and open what is in it.

    `Conflict` (code `data_locked`) when another process, not a gateway, has it locked.
    """
    holder = find_gateway(configuration)
    if holder is not None:
        with StartNotice(quiet=quiet) as notice:
            await wait_until_ready(holder.control_url, notice)
        async with ControlClient(holder.control_url, holder.token) as control:
            yield control
        return
    configure_logs("error", configuration.settings.log.format)
    with DataLock(configuration.settings.data_dir):
        labels = open_registry(configuration).folder_labels()
        async with open_library(configuration.settings.data_dir, labels) as library:
            yield LocalAdministration(library, library)
