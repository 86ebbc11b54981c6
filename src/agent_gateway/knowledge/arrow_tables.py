"""Rows to Arrow tables and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from agent_gateway.errors import StorageFailed
from agent_gateway.interfaces import Interaction
from agent_gateway.knowledge.encoders.weights import DIMENSIONS
from agent_gateway.knowledge.rows import ChunkRow, FileState, StoredChunks, StoredInteractions, TableMark

_MARK = b"agent-gateway"

_CHUNK_FIELDS = (
    ("id", pa.string()),
    ("root", pa.string()),
    ("source", pa.string()),
    ("title", pa.string()),
    ("headings", pa.list_(pa.string())),
    ("chunk", pa.int32()),
    ("text", pa.string()),
    ("vector", pa.list_(pa.float32(), DIMENSIONS)),
    ("spans", pa.binary()),
    ("sentence_vectors", pa.binary()),
    ("digest", pa.string()),
    ("size", pa.int64()),
    ("mtime", pa.int64()),
    ("at", pa.string()),
)
#: The vector is a column of its own kind.
_INTERACTION_TEXTS = tuple(name for name in Interaction.__struct_fields__ if name != "vector")
_INTERACTION_FIELDS = (
    *((name, pa.list_(pa.string()) if name == "sources" else pa.string()) for name in _INTERACTION_TEXTS),
    ("vector", pa.list_(pa.float32(), DIMENSIONS)),
)

LOADED_COLUMNS = ("source", "title", "headings", "chunk", "text", "spans", "vector", "sentence_vectors")


def chunk_schema(mark: TableMark) -> Any:
    """The Arrow schema of a document collection that carries this mark."""
    return pa.schema(_CHUNK_FIELDS, metadata={_MARK: msgspec.json.encode(mark)})


def interaction_schema(mark: TableMark) -> Any:
    """The Arrow schema of the interactions."""
    return pa.schema(_INTERACTION_FIELDS, metadata={_MARK: msgspec.json.encode(mark)})


def read_mark(schema: Any) -> TableMark | None:
    """The mark of a table; None when it has none that is understood."""
    metadata: Mapping[bytes, bytes] = schema.metadata or {}
    try:
        return msgspec.json.decode(metadata.get(_MARK, b""), type=TableMark)
    except msgspec.DecodeError:
        return None


def pack_chunks(rows: Sequence[ChunkRow], schema: Any) -> Any:
    """Chunks as an Arrow table of this schema."""
    columns: dict[str, Any] = {
        "id": [row.id for row in rows],
        "root": [row.root for row in rows],
        "source": [row.source for row in rows],
        "title": [row.title for row in rows],
        "headings": [list(row.headings) for row in rows],
        "chunk": [row.chunk for row in rows],
        "text": [row.text for row in rows],
        "vector": _pack_vectors([row.vector for row in rows]),
        "spans": [np.array(row.spans, dtype=np.int32).tobytes() for row in rows],
        "sentence_vectors": [row.sentence_vectors.tobytes() for row in rows],
        "digest": [row.file.digest for row in rows],
        "size": [row.file.size for row in rows],
        "mtime": [row.file.mtime for row in rows],
        "at": [row.at for row in rows],
    }
    return pa.table(columns, schema=schema)


def pack_interactions(interactions: Sequence[Interaction], vectors: Sequence[NDArray[np.float32]], schema: Any) -> Any:
    """Interactions as an Arrow table of this schema."""
    columns: dict[str, Any] = {
        name: [getattr(interaction, name) for interaction in interactions] for name in _INTERACTION_TEXTS
    }
    columns["sources"] = [list(interaction.sources) for interaction in interactions]
    return pa.table({**columns, "vector": _pack_vectors(vectors)}, schema=schema)


def unpack_chunks(table: Any) -> StoredChunks:
    """An Arrow table with the loaded columns as Python and numpy columns."""
    table = table.sort_by([("source", "ascending"), ("chunk", "ascending")])
    return StoredChunks(
        sources=table["source"].to_pylist(),
        titles=table["title"].to_pylist(),
        headings=[tuple(headings) for headings in table["headings"].to_pylist()],
        chunks=np.asarray(table["chunk"].to_numpy(), dtype=np.int32),
        texts=table["text"].to_pylist(),
        spans=[_unpack_spans(data) for data in table["spans"].to_pylist()],
        vectors=_unpack_vectors(table["vector"]),
        sentence_vectors=[
            np.frombuffer(data, dtype=np.int8).reshape(-1, DIMENSIONS) for data in table["sentence_vectors"].to_pylist()
        ],
    )


def unpack_rows(table: Any) -> list[ChunkRow]:
    """An Arrow table as rows without vectors, to embed them again; `StorageFailed` when columns are missing."""
    nothing = np.zeros(0, np.float32), np.zeros((0, DIMENSIONS), np.int8)
    try:
        return [
            ChunkRow(
                root=row["root"],
                source=row["source"],
                title=row["title"],
                headings=tuple(row["headings"]),
                chunk=row["chunk"],
                text=row["text"],
                spans=(),
                vector=nothing[0],
                sentence_vectors=nothing[1],
                file=FileState(row["size"], row["mtime"], row["digest"]),
                at=row["at"],
            )
            for row in table.to_pylist()
        ]
    except KeyError as error:
        raise StorageFailed(
            f"a collection has no column {error}: it was made by another version",
            hint="drop the collection and ingest its documents again",
        ) from error


def unpack_interactions(table: Any) -> StoredInteractions:
    """An Arrow table of interactions, oldest first; their own `vector` stays empty."""
    table = table.sort_by([("at", "ascending"), ("run_id", "ascending")])
    vectors = _unpack_vectors(table["vector"])
    rows = table.drop_columns(["vector"]).to_pylist()
    return StoredInteractions([msgspec.convert(row, Interaction) for row in rows], vectors)


def _pack_vectors(vectors: Sequence[NDArray[np.float32]]) -> Any:
    flat = np.concatenate(vectors) if len(vectors) else np.zeros(0, np.float32)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat, pa.float32()), DIMENSIONS)


def _unpack_vectors(column: Any) -> NDArray[np.float32]:
    flat = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    # A copy of its own, so that the table's memory can go.
    return np.array(flat, dtype=np.float32).reshape(-1, DIMENSIONS)


def _unpack_spans(data: bytes) -> tuple[tuple[int, int], ...]:
    pairs = np.frombuffer(data, dtype=np.int32).reshape(-1, 2).tolist()
    return tuple((start, end) for start, end in pairs)
