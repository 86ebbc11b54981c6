"""The administration of a knowledge base that was brought along: it can be listed, not changed."""

from __future__ import annotations

from collections.abc import AsyncIterator

from agent_gateway.errors import Conflict
from agent_gateway.interfaces import CollectionInfo, Forgetting, IngestProgress, Knowledge

_DETAIL = "this gateway's knowledge base was brought along ready-made and cannot be changed"


class FixedIngestion:
    """Implements `Ingestion`; every change is a `Conflict`."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge

    async def ingest(self, path: str, collection: str) -> AsyncIterator[IngestProgress]:
        """Refuse."""
        for _ in (path, collection):
            raise Conflict(_DETAIL, code="knowledge_fixed")
        # Never reached: the Protocol asks for a generator.
        yield IngestProgress(files=0, total=0)

    async def drop(self, collection: str) -> None:
        """Refuse."""
        raise Conflict(_DETAIL, code="knowledge_fixed")

    async def collections(self) -> tuple[CollectionInfo, ...]:
        """Every collection with its size."""
        return await self._knowledge.collections()

    async def forget(self, which: Forgetting) -> int:
        """Refuse."""
        raise Conflict(_DETAIL, code="knowledge_fixed")
