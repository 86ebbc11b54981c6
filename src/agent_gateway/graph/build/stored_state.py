"""A turn's state as bytes: JSON of our own types, read back by their types and by nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from agent_gateway.errors import StorageFailed
from agent_gateway.graph.draft import Draft
from agent_gateway.intent import Intent
from agent_gateway.interfaces import Passage, PendingCall
from agent_gateway.messages import Citation, Exchange, Recollection, Route, ToolUse, TurnUsage
from agent_gateway.tool import ToolResult

#: Raised when the meaning of what is stored changes.
FORMAT = 1


class StoredState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`TurnState`, key by key; the vector is float32 bytes."""

    message: str
    history: tuple[Exchange, ...] = ()
    vector: bytes | None = None
    intent: Intent | None = None
    question: str | None = None
    collections: tuple[str, ...] | None = None
    passages: tuple[Passage, ...] | None = None
    answerable: bool | None = None
    evidence: float | None = None
    recollections: tuple[Recollection, ...] | None = None
    route: Route | None = None
    response: str | None = None
    citations: tuple[Citation, ...] | None = None
    tool_calls: tuple[ToolUse, ...] | None = None
    usage: TurnUsage | None = None
    notices: tuple[str, ...] | None = None
    pending: PendingCall | None = None
    result: ToolResult | None = None
    draft: Draft | None = None


class StoredInterrupt(msgspec.Struct, frozen=True, kw_only=True):
    """Where the graph stands still: LangGraph's id of the place, and what it waits for."""

    task: str
    id: str
    value: dict[str, str]


class StoredCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint of LangGraph's: our state, its own bookkeeping, and the interrupts."""

    format: int
    state: StoredState
    branches: dict[str, Any]
    bookkeeping: dict[str, Any]
    metadata: dict[str, Any]
    interrupts: tuple[StoredInterrupt, ...]


_DECODER = msgspec.json.Decoder(StoredCheckpoint)


def pack_state(values: dict[str, Any]) -> StoredState:
    """The state of a turn, to be stored."""
    vector = values.get("vector")
    packed = {**values, "vector": None if vector is None else np.asarray(vector, np.float32).tobytes()}
    return StoredState(**packed)


def unpack_state(stored: StoredState) -> dict[str, Any]:
    """The state of a turn as its stages know it."""
    values = {name: value for name, value in msgspec.structs.asdict(stored).items() if value is not None}
    if stored.vector is not None:
        values["vector"] = np.frombuffer(stored.vector, np.float32)
    return values


def encode(checkpoint: StoredCheckpoint) -> bytes:
    """The bytes of a checkpoint."""
    return msgspec.json.encode(checkpoint)


def decode(data: bytes) -> StoredCheckpoint:
    """The checkpoint in bytes that `encode` made; `StorageFailed` when another version of this program did."""
    try:
        found = _DECODER.decode(data)
    except msgspec.MsgspecError as error:
        raise _unreadable() from error
    if found.format != FORMAT:
        raise _unreadable()
    return found


def _unreadable() -> StorageFailed:
    return StorageFailed(
        "the turn waited for a decision, and another version of this program stored where it stood",
        hint="ask again: what was done is in the audit log",
    )
