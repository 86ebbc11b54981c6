"""Brings a collection up to date with a file or folder."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent_gateway.errors import InvalidInput
from agent_gateway.interfaces import IngestProgress
from agent_gateway.knowledge.blocks import UnreadableDocument
from agent_gateway.knowledge.encoding import CutDocument, TextEncoder, cut_file, encode_documents, looks_unchanged
from agent_gateway.knowledge.folder import FoundFile, Scan, scan
from agent_gateway.knowledge.lancedb_store import Store
from agent_gateway.knowledge.reembedding import reembed_collection
from agent_gateway.knowledge.rows import INTERACTIONS, ChunkRow, FileState, TableMark

_NAME = re.compile(r"[a-z][a-z0-9-]{1,62}")
#: Documents are written together until they have so many chunks: a commit costs the same for one as for hundreds.
_COMMIT_CHUNKS = 256
#: Sources are removed so many at a time: each is a literal in the condition.
_COMMIT_REMOVED = 500
_REPORT_SECONDS = 0.1


def check_collection_name(name: str) -> None:
    """Raise `InvalidInput` for a name that documents cannot be ingested under."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} cannot be the name of a collection",
            hint="use 2 to 63 lower-case letters, digits and hyphens, a letter first",
        )
    if name == INTERACTIONS:
        raise InvalidInput(f"{name!r} is reserved for remembered questions", hint="choose another name")


@dataclass
class _Job:
    """One ingest: where to, what was known, and the counts so far."""

    collection: str
    root: str
    known: Mapping[str, FileState]
    total: int
    files: int = 0
    chunks: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)

    def report(self, *, finished: bool = False) -> IngestProgress:
        return IngestProgress(
            files=self.files,
            total=self.total,
            chunks=self.chunks,
            added=self.added,
            changed=self.changed,
            unchanged=self.unchanged,
            removed=self.removed,
            skipped=dict(self.skipped) if finished else {},
            finished=finished,
        )


class Ingester:
    """Ingests documents into a store; one ingest of a collection at a time, others of it wait.

    `mark` says with what `encoder` encodes. A collection made otherwise is embedded again first.
    """

    def __init__(self, store: Store, encoder: TextEncoder, mark: TableMark) -> None:
        self._store = store
        self._encoder = encoder
        self.mark = mark
        self._locks: dict[str, asyncio.Lock] = {}

    async def ingest(self, path: str | Path, collection: str, root: str = "") -> AsyncGenerator[IngestProgress, None]:
        """Add new and changed documents of a file or folder and remove deleted ones; progress as it goes.

        `root` names the folder in the store, by default its absolute path: only documents under the same root are
        compared and removed. Stopped at any point, each document is stored as it was or as it is. `InvalidInput` for
        a path or name that cannot be.
        """
        check_collection_name(collection)
        found = await asyncio.to_thread(scan, Path(path))
        async with self._locks.setdefault(collection, asyncio.Lock()):
            found, root = await self._place(found, collection, root)
            if await self._store.is_stale(collection, self.mark):
                await reembed_collection(self._store, collection, self._encoder, self.mark)
            job = _Job(collection, root, await self._store.manifest(collection, root), total=len(found.files))
            job.skipped.update(found.skipped)
            async for _ in self._write_changes(found, job):
                yield job.report()
            await self._remove([*found.missing(job.known), *job.gone], job)
            if job.added or job.changed or job.removed:
                await self._store.index_text(collection)
                await self._store.tables.tidy(collection)
            yield job.report(finished=True)

    async def _place(self, found: Scan, collection: str, root: str) -> tuple[Scan, str]:
        """Under which root the documents are stored; a single file belongs to the ingested folder that it lies in."""
        if root or not found.only:
            return found, root or str(found.root)
        file = found.root / found.only
        above = [name for name in await self._store.roots(collection) if Path(name) in file.parents]
        if not above:
            return found, str(found.root)
        return found.relative_to(Path(max(above, key=len))), max(above, key=len)

    async def _write_changes(self, found: Scan, job: _Job) -> AsyncIterator[None]:
        """Yields when there is progress to report."""
        candidates = [file for file in found.files if not looks_unchanged(file, job.known.get(file.source))]
        job.unchanged = job.files = len(found.files) - len(candidates)
        reported = time.monotonic()
        batch: list[CutDocument] = []
        for file in candidates:
            cut = await self._cut(file, job)
            batch += [cut] if cut else []
            if sum(len(document.chunks) for document in batch) >= _COMMIT_CHUNKS:
                async for _ in self._write(batch, job):
                    yield
                batch = []
            elif time.monotonic() - reported > _REPORT_SECONDS:
                reported = time.monotonic()
                yield
        async for _ in self._write(batch, job):
            yield

    async def _cut(self, file: FoundFile, job: _Job) -> CutDocument | None:
        known = job.known.get(file.source)
        try:
            cut = await asyncio.to_thread(cut_file, file, known)
        except UnreadableDocument as error:
            job.files += 1
            job.skipped[file.source] = error.reason
            job.gone += [file.source] if error.gone and known else []
            return None
        if cut is None:
            job.files += 1
            job.unchanged += 1
        return cut

    async def _write(self, documents: list[CutDocument], job: _Job) -> AsyncIterator[None]:
        """Encode and store documents: whole, and in one commit."""
        if not documents:
            return
        await self._store.create(job.collection, self.mark)
        rows: list[ChunkRow] = []
        before = job.files
        async for part in encode_documents(documents, job.root, self._encoder):
            rows += part
            job.chunks += len(part)
            # All documents but the last one seen are complete.
            job.files = before + len({row.source for row in rows}) - 1
            yield
        await self._store.replace_documents(job.collection, job.root, rows)
        job.files = before + len(documents)
        changed = sum(cut.document.source in job.known for cut in documents)
        job.changed += changed
        job.added += len(documents) - changed
        yield

    async def _remove(self, sources: list[str], job: _Job) -> None:
        for first in range(0, len(sources), _COMMIT_REMOVED):
            part = sources[first : first + _COMMIT_REMOVED]
            await self._store.replace_documents(job.collection, job.root, (), removed=part)
            job.removed += len(part)
