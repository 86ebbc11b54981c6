"""What goes into one transaction, and how it is written: few statements, each with many rows.

Every SQLite call gives up the interpreter lock and has to win it back from a busy event loop, so a batch of a hundred
events must not be a hundred calls.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import NamedTuple, TypeAlias

from agent_gateway.events import Event
from agent_gateway.runs.live import LiveRun

Row: TypeAlias = Sequence[str | float | bytes | None]
Statement: TypeAlias = tuple[str, Row]
#: Looks before it writes, within the transaction; what it raises undoes that of every run, so it raises nothing.
Work: TypeAlias = Callable[[sqlite3.Connection], None]

#: Rows of one INSERT; SQLite allows 32,766 parameters.
ROWS_PER_INSERT = 256


class Table(NamedTuple):
    """Where rows go: the start and the end of the INSERT around its VALUES."""

    head: str
    columns: int
    tail: str = ""


CONVERSATIONS = Table(
    "INSERT INTO conversations (id, persona, owner, title, created_at, updated_at) VALUES ",
    6,
    " ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at",
)
RUNS = Table(
    "INSERT INTO runs (number, id, conversation_id, persona, owner, message, request_id, status, attempts, created_at,"
    " finished_at, answer, roles) VALUES ",
    13,
    " ON CONFLICT DO UPDATE SET status = excluded.status, attempts = excluded.attempts,"
    " finished_at = excluded.finished_at, answer = excluded.answer",
)
EVENTS = Table("INSERT INTO events (run, seq, type, data, at) VALUES ", 5)
OUTBOX = Table("INSERT INTO outbox (kind, payload, created_at) VALUES ", 3)
USES = Table(
    "INSERT INTO model_uses (run_id, persona, stage, tier, model, day, prompt_tokens, completion_tokens, estimated,"
    " cost, large_cost, ms, outcome, at) VALUES ",
    14,
)


@dataclass(slots=True)
class Transaction:
    """The rows of one commit, ready for the writer's thread."""

    conversations: dict[str, Row] = field(default_factory=dict)
    runs: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    outbox: list[Row] = field(default_factory=list)
    uses: list[Row] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)

    def write(self, connection: sqlite3.Connection) -> None:
        """Write everything; the caller's transaction makes it all or nothing."""
        insert(connection, CONVERSATIONS, tuple(self.conversations.values()))
        insert(connection, RUNS, self.runs)
        insert(connection, EVENTS, self.events)
        insert(connection, OUTBOX, self.outbox)
        insert(connection, USES, self.uses)
        for sql, parameters in self.statements:
            connection.execute(sql, parameters)
        for work in self.works:
            work(connection)

    def add_row(self, live: LiveRun) -> None:
        """Store the run's outcome, and its conversation."""
        self.conversations[live.conversation.id] = live.conversation.row()
        self.runs.append(live.row())
        live.row_changed = False
        if live.closure is not None and live.outcome.finished_at is not None:
            self.works.append(partial(live.closure, live.outcome.finished_at))


class Batch:
    """Operations of all runs that wait for the next commit."""

    def __init__(self) -> None:
        self.runs: dict[str, LiveRun] = {}
        self.remembered: list[bytes] = []
        self.uses: list[Row] = []
        self.statements: list[Statement] = []
        self.works: list[Work] = []
        self.waiters: list[asyncio.Future[None]] = []
        self.size = 0

    def seal(self, at: str) -> tuple[Transaction, list[tuple[LiveRun, list[Event]]]]:
        """The rows to write, and the events of each run to show once they are written."""
        transaction = Transaction(uses=self.uses, statements=self.statements, works=self.works)
        sealed: list[tuple[LiveRun, list[Event]]] = []
        for live in self.runs.values():
            if live.row_changed:
                transaction.add_row(live)
            events: list[Event] = []
            for draft in live.take_drafts():
                event = draft.seal()
                transaction.events.append((live.number, event.seq, event.type, event.data, draft.at))
                events.append(event)
            transaction.outbox += [("remember", payload, at) for payload in live.outbox]
            live.outbox.clear()
            live.writing = events
            sealed.append((live, events))
        transaction.outbox += [("remember", payload, at) for payload in self.remembered]
        return transaction, sealed


def insert(connection: sqlite3.Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows with as few statements as possible, in sizes that are powers of two so that they stay prepared."""
    for part in _powers_of_two(rows):
        connection.execute(_statement(table, len(part)), [value for row in part for value in row])


def _powers_of_two(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    start = 0
    while rest := len(rows) - start:
        size = min(ROWS_PER_INSERT, 1 << (rest.bit_length() - 1))
        yield rows[start : start + size]
        start += size


@lru_cache(maxsize=64)
def _statement(table: Table, rows: int) -> str:
    values = "(" + ", ".join("?" * table.columns) + ")"
    return table.head + ", ".join([values] * rows) + table.tail
