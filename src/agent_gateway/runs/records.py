"""Reading runs and their events from the database; each function is one query on a snapshot."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

import msgspec

from agent_gateway.errors import NotFound
from agent_gateway.events import Event
from agent_gateway.messages import ROLES, Answer, Role, Run

#: Events read at a time.
EVENTS_PAGE = 200

_ANSWER = msgspec.json.Decoder(Answer)
_RUN_COLUMNS = (
    "id, conversation_id, persona, owner, message, status, attempts, created_at, finished_at, answer, roles,"
    " number, request_id"
)


class StoredRun(NamedTuple):
    """A run as stored; `number` is its short key, `last_seq` its last event."""

    run: Run
    number: int
    request_id: str
    last_seq: int


def read_run(connection: sqlite3.Connection, *, run_id: str) -> StoredRun | None:
    """The run, whoever owns it."""
    row = connection.execute(
        f"SELECT {_RUN_COLUMNS}, (SELECT max(seq) FROM events WHERE run = runs.number) FROM runs WHERE id = ?",  # noqa: S608 the columns are a constant
        (run_id,),
    ).fetchone()
    if row is None:
        return None
    run = Run(
        id=row[0],
        conversation_id=row[1],
        persona=row[2],
        owner=row[3],
        message=row[4],
        status=row[5],
        attempts=row[6],
        created_at=row[7],
        finished_at=row[8],
        answer=decode_answer(row[9]),
        roles=decode_roles(row[10]),
    )
    return StoredRun(run, row[11], row[12], row[13] or 0)


def read_events(connection: sqlite3.Connection, *, run_id: str, after: int, upto: int | None) -> list[Event]:
    """At most `EVENTS_PAGE` events with after < seq <= upto, in order."""
    rows = connection.execute(
        "SELECT seq, type, data FROM events WHERE run = (SELECT number FROM runs WHERE id = ?)"
        " AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
        (run_id, after, 2**62 if upto is None else upto, EVENTS_PAGE),
    )
    return [Event(*row) for row in rows]


def read_interrupted(connection: sqlite3.Connection) -> list[str]:
    """The ids of interrupted runs, oldest first."""
    rows = connection.execute(
        "SELECT id FROM runs WHERE status IN ('running', 'interrupted') AND status = 'interrupted' ORDER BY created_at"
    )
    return [run_id for (run_id,) in rows]


def mark_interrupted(connection: sqlite3.Connection) -> int:
    """What still says running was cut by the end of the process before; returns the number for the next run."""
    connection.execute(
        "UPDATE runs SET status = 'interrupted' WHERE status IN ('running', 'interrupted') AND status = 'running'"
    )
    (last,) = connection.execute("SELECT max(number) FROM runs").fetchone()
    return (last or 0) + 1


def decode_answer(encoded: bytes | None) -> Answer | None:
    """The answer of a run that has one."""
    return None if encoded is None else _ANSWER.decode(encoded)


def decode_roles(encoded: str) -> tuple[Role, ...]:
    """The roles that are still known."""
    return tuple(role for role in ROLES if role in encoded.split(","))


def run_not_found(run_id: str) -> NotFound:
    """The same for a run that is absent and for one that is another's."""
    return NotFound(f"there is no run {run_id!r}", code="run_not_found")
