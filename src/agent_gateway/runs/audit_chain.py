"""The audit log: rows that name the one before by its hash, and a head beside the database.

A row's hash covers all of it and the hash before, so no row can be changed, put in or taken out without changing every
later one; the mac of the hash, with a key that is not in the database, keeps anybody from computing those anew. What
a chain cannot tell is that its end is missing: the head, in a file of its own, names the last row.

The head is written after the commit, and before anybody hears of it. A process that is killed between the two leaves a
head that is behind, and the rows after it have valid macs: the next start brings it up to date. A head that is ahead
of the rows cannot come about that way.
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import structlog

from agent_gateway.runs.audit_files import Head, write_head

#: What the first row names as the hash before it.
GENESIS = "0" * 64

_log = structlog.get_logger(__name__)


class AuditRow(NamedTuple):
    """A row as stored. `details` is a JSON object."""

    seq: int
    at: str
    kind: str
    details: str
    previous: str
    hash: str
    mac: str


class AuditChain:
    """Appends rows, in the writer's thread. `whole` says that the head fits the rows; else it is left as evidence."""

    def __init__(self, folder: Path, key: bytes, head: Head, *, whole: bool = True) -> None:
        self._folder = folder
        self._key = key
        self._head = head
        self._whole = whole

    def append(self, connection: sqlite3.Connection, at: str, kind: str, details: Mapping[str, Any]) -> None:
        """Append a row in the transaction that is going on; `details` must be what JSON can hold."""
        last = read_last(connection)
        row = make_row(self._key, last, at, kind, msgspec.json.encode(details, order="deterministic").decode())
        connection.execute(
            "INSERT INTO audit (seq, at, kind, details, previous, hash, mac) VALUES (?, ?, ?, ?, ?, ?, ?)", row
        )

    def settle(self, connection: sqlite3.Connection) -> None:
        """Bring the head up to what is durable now. When that fails it stays behind, until the next time."""
        if not self._whole:
            return
        try:
            last = read_last(connection)
            if last.seq != self._head.seq:
                self._head = sign(self._key, *last)
                write_head(self._folder, self._head)
        except (OSError, sqlite3.Error) as error:
            _log.error("audit_head_not_written", error=str(error))


class Last(NamedTuple):
    """The last row of the log: what the next one needs of it."""

    seq: int
    hash: str


def read_last(connection: sqlite3.Connection) -> Last:
    """The end of the chain."""
    row = connection.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    return Last(0, GENESIS) if row is None else Last(*row)


def make_row(key: bytes, last: Last, at: str, kind: str, details: str) -> AuditRow:
    """The row behind another."""
    digest = hash_of(last.seq + 1, at, kind, details, last.hash)
    return AuditRow(last.seq + 1, at, kind, details, last.hash, digest, mac_of(key, digest))


def hash_of(seq: int, at: str, kind: str, details: str, previous: str) -> str:
    """SHA-256 of the JSON array of these, in hexadecimal digits."""
    return hashlib.sha256(msgspec.json.encode((seq, at, kind, details, previous))).hexdigest()


def mac_of(key: bytes, text: str) -> str:
    """HMAC-SHA-256 of a text, in hexadecimal digits."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def sign(key: bytes, seq: int, digest: str) -> Head:
    """The head that names a row."""
    return Head(seq=seq, hash=digest, mac=mac_of(key, f"head {seq} {digest}"))
