"""Reading conversations from the database; each function is one query on a snapshot. A key is id, persona, owner."""

from __future__ import annotations

import sqlite3
from typing import TypeAlias

import msgspec

from agent_gateway.messages import Conversation, ConversationSummary, Exchange, Tier, Turn
from agent_gateway.runs.histories import HISTORY_LENGTH, ConversationState
from agent_gateway.runs.records import decode_answer

Key: TypeAlias = tuple[str, str, str]

#: Sorts behind every time.
_END_OF_TIME = "~"


class _Route(msgspec.Struct, frozen=True):
    tier: Tier


class _Response(msgspec.Struct, frozen=True):
    """What later turns need of a stored answer."""

    response: str
    route: _Route | None = None


def read_page(
    connection: sqlite3.Connection, *, persona: str, owner: str, limit: int, before: str
) -> list[ConversationSummary]:
    """Conversations last changed before a time (empty: all), newest first."""
    rows = connection.execute(
        "SELECT id, title, (SELECT count(*) FROM runs WHERE conversation_id = conversations.id), created_at, updated_at"
        " FROM conversations WHERE persona = ? AND owner = ? AND updated_at < ? ORDER BY updated_at DESC LIMIT ?",
        (persona, owner, before or _END_OF_TIME, limit),
    )
    return [
        ConversationSummary(id=row[0], title=row[1], turns=row[2], created_at=row[3], updated_at=row[4]) for row in rows
    ]


def read_conversation(connection: sqlite3.Connection, *, key: Key) -> Conversation | None:
    """The conversation with its turns, oldest first."""
    row = _read_row(connection, key)
    if row is None:
        return None
    turns = connection.execute(
        "SELECT id, message, status, created_at, answer FROM runs WHERE conversation_id = ? ORDER BY created_at",
        key[:1],
    )
    return Conversation(
        id=row[0],
        persona=row[1],
        title=row[3],
        created_at=row[4],
        updated_at=row[5],
        turns=tuple(
            Turn(run_id=run_id, message=message, status=status, created_at=created_at, answer=decode_answer(answer))
            for run_id, message, status, created_at, answer in turns
        ),
    )


def read_state(connection: sqlite3.Connection, *, key: Key) -> ConversationState | None:
    """The conversation with its last completed exchanges."""
    row = _read_row(connection, key)
    if row is None:
        return None
    state = ConversationState(row[:5], row[5])
    turns = connection.execute(
        "SELECT created_at, message, answer FROM runs WHERE conversation_id = ? AND status = 'completed'"
        " ORDER BY created_at DESC LIMIT ?",
        (key[0], HISTORY_LENGTH),
    )
    for created_at, message, answer in turns:
        stored = msgspec.json.decode(answer, type=_Response)
        tier = stored.route.tier if stored.route is not None else None
        state.add(created_at, Exchange(message=message, response=stored.response, tier=tier))
    return state


def _read_row(connection: sqlite3.Connection, key: Key) -> tuple[str, str, str, str, str, str] | None:
    row: tuple[str, str, str, str, str, str] | None = connection.execute(
        "SELECT id, persona, owner, title, created_at, updated_at FROM conversations"
        " WHERE id = ? AND persona = ? AND owner = ?",
        key,
    ).fetchone()
    return row
