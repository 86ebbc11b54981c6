"""Whether the audit log is as it was written: at the start from its head on, by `audit verify` from its first row."""

from __future__ import annotations

import hmac
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import structlog

from agent_gateway.errors import StorageFailed
from agent_gateway.runs.audit_chain import GENESIS, AuditChain, AuditRow, Last, hash_of, mac_of, read_last, sign
from agent_gateway.runs.audit_files import HEAD_FILE, KEY_FILE, Head, create_head, create_key, read_head, read_key

_COLUMNS = "seq, at, kind, details, previous, hash, mac"
_log = structlog.get_logger(__name__)


class AuditBroken(StorageFailed):
    """The audit log is not as it was written."""

    code = "audit_broken"

    def __init__(self, detail: str) -> None:
        super().__init__(
            detail, hint="somebody changed it, or a part of the data directory was restored from another time"
        )


def open_chain(connection: sqlite3.Connection, folder: Path) -> AuditChain:
    """The log of a database, ready to append to; its key is created with the first one.

    What is wrong with it is logged, and for `audit verify` to tell: a gateway that would not start is no remedy.
    `StorageFailed` when there is a log and no key, for what is appended then could not be told from a forgery.
    """
    last = read_last(connection)
    key = read_key(folder)
    if key is None and last.seq:
        raise missing_key(folder)
    if key is None:
        key = create_key(folder)
    head = read_head(folder)
    if head is None and last.seq == 0:
        head = create_head(folder, sign(key, *last))
    try:
        end = check(connection, key, head, since=head.seq if head is not None else 0)
    except AuditBroken as error:
        _log.error("audit_broken", error=error.detail)
        return AuditChain(folder, key, sign(key, *last), whole=False)
    chain = AuditChain(folder, key, head or sign(key, *end))
    chain.settle(connection)
    return chain


def check(connection: sqlite3.Connection, key: bytes, head: Head | None, since: int = 0) -> Last:
    """Check the rows from number `since` on against the key and the head; returns the last row.

    `AuditBroken` names the first row that is not as it was written.
    """
    rows = (AuditRow(*row) for row in _read(connection, since))
    last = Last(0, GENESIS)
    for row in rows:
        _check_row(row, key, last if last.seq or since <= 1 else Last(since - 1, row.previous))
        last = Last(row.seq, row.hash)
        if head is not None and row.seq == head.seq and row.hash != head.hash:
            raise AuditBroken(f"row {row.seq} is not the one that {HEAD_FILE} names: it was written anew")
    _check_head(head, key, last)
    return last


def missing_key(folder: Path) -> StorageFailed:
    """There is a log, and nothing to check it with."""
    return StorageFailed(
        f"there is an audit log, and no key to it: {folder / KEY_FILE} is missing",
        code="audit_key_missing",
        hint="restore it from a backup",
    )


def _check_row(row: AuditRow, key: bytes, last: Last) -> None:
    if row.seq != last.seq + 1:
        raise AuditBroken(f"row {last.seq + 1} is missing")
    if row.previous != last.hash:
        raise AuditBroken(f"row {row.seq} does not follow the row before it")
    if row.hash != hash_of(row.seq, row.at, row.kind, row.details, row.previous):
        raise AuditBroken(f"row {row.seq} was changed")
    if not _same(row.mac, mac_of(key, row.hash)):
        raise AuditBroken(f"row {row.seq} was not written with the key in {KEY_FILE}")


def _check_head(head: Head | None, key: bytes, last: Last) -> None:
    if head is None:
        if last.seq:
            raise AuditBroken(f"{HEAD_FILE} is missing: whether rows after row {last.seq} are missing cannot be told")
        return
    if not _same(head.mac, sign(key, head.seq, head.hash).mac):
        raise AuditBroken(f"{HEAD_FILE} was not written with the key in {KEY_FILE}")
    if head.seq > last.seq:
        raise AuditBroken(f"row {last.seq + 1} is missing, and every row after it up to row {head.seq}")


def _same(stored: object, computed: str) -> bool:
    return hmac.compare_digest(str(stored).encode(), computed.encode())


def _read(connection: sqlite3.Connection, since: int) -> Iterable[tuple[int, str, str, str, str, str, str]]:
    return connection.execute(f"SELECT {_COLUMNS} FROM audit WHERE seq >= ? ORDER BY seq", (since,))  # noqa: S608 the columns are a constant
