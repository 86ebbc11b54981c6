"""Documents to rows: cut into chunks, encoded, ready to be stored."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from agent_gateway.knowledge.blocks import Document
from agent_gateway.knowledge.chunking import CHUNKING_VERSION, Chunk, chunk_document, text_to_embed
from agent_gateway.knowledge.documents import read_bytes, read_document
from agent_gateway.knowledge.encoders.wire import TextToEncode, TextVectors
from agent_gateway.knowledge.folder import FoundFile
from agent_gateway.knowledge.rows import ChunkRow, FileState
from agent_gateway.knowledge.sentences import split_sentences

#: Chunks of a request to the encoder: about a second of work.
REQUEST_CHUNKS = 32


class TextEncoder(Protocol):
    """Encodes texts and their sentences; `BulkEncoder` does."""

    async def encode(self, texts: Sequence[TextToEncode]) -> list[TextVectors]:
        """The vectors of texts and of their sentences."""
        ...


@dataclass(frozen=True, slots=True)
class CutDocument:
    """A document that was read and cut, with the state of its file."""

    document: Document
    chunks: tuple[Chunk, ...]
    file: FileState


def looks_unchanged(file: FoundFile, known: FileState | None) -> bool:
    """Whether size and time say that a file is as it was ingested; nothing is read."""
    return (
        known is not None
        and (known.size, known.mtime) == (file.size, file.mtime)
        and known.digest.startswith(f"{CHUNKING_VERSION}:")
    )


def cut_file(file: FoundFile, known: FileState | None) -> CutDocument | None:
    """Read and cut a file; None when its content is as it was ingested, `UnreadableDocument` when bad. Blocking."""
    data = read_bytes(file.path)
    digest = f"{CHUNKING_VERSION}:{hashlib.sha256(data).hexdigest()[:32]}"
    if known is not None and known.digest == digest:
        return None
    document = read_document(data, file.source)
    return CutDocument(document, tuple(chunk_document(document)), FileState(file.size, file.mtime, digest))


async def encode_documents(
    documents: Sequence[CutDocument], root: str, encoder: TextEncoder
) -> AsyncIterator[list[ChunkRow]]:
    """The rows of documents, in order, a request's worth at a time."""
    chunks = [(cut, chunk) for cut in documents for chunk in cut.chunks]
    at = datetime.now(UTC).isoformat(timespec="seconds")
    for first in range(0, len(chunks), REQUEST_CHUNKS):
        part = chunks[first : first + REQUEST_CHUNKS]
        texts = [prepare_text(cut.document.title, chunk.headings, chunk.text) for cut, chunk in part]
        vectors = await encoder.encode([text for text, _ in texts])
        yield [
            ChunkRow(
                root=root,
                source=cut.document.source,
                title=cut.document.title,
                headings=chunk.headings,
                chunk=chunk.index,
                text=chunk.text,
                spans=spans,
                vector=found.vector,
                sentence_vectors=found.sentences,
                file=cut.file,
                at=at,
            )
            for (cut, chunk), (_, spans), found in zip(part, texts, vectors, strict=True)
        ]


def prepare_text(title: str, headings: Sequence[str], text: str) -> tuple[TextToEncode, tuple[tuple[int, int], ...]]:
    """What is encoded for a chunk, with its sentences in it, and the same sentences as spans of the chunk's text."""
    spans = tuple(split_sentences(text))
    whole = text_to_embed(title, headings, text)
    offset = len(whole) - len(text)
    return TextToEncode(whole, tuple((start + offset, end + offset) for start, end in spans)), spans
