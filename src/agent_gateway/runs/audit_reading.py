"""Reading and checking the audit log of a data directory, whether a gateway runs there or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from agent_gateway.runs.audit_chain import GENESIS, Last
from agent_gateway.runs.audit_check import AuditBroken, check, missing_key
from agent_gateway.runs.audit_files import read_head, read_key
from agent_gateway.runs.database import FILE_NAME
from agent_gateway.runs.snapshots import open_snapshot

_TABLE = "audit"


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the audit log. `at` is ISO 8601, UTC."""

    seq: int
    at: str
    kind: str
    details: dict[str, Any]


def verify_log(folder: Path, known: Last | None = None) -> Last:
    """Check the whole audit log of a data directory; returns its last row, number 0 when there is none.

    `known` is a row that was the last one once, as somebody noted it elsewhere: the log must still hold it. Raises
    `AuditBroken` for the first row that is not as it was written, `StorageFailed` when that cannot be found out.
    """
    # The head first: a gateway that runs writes rows before it writes the head.
    head = read_head(folder)
    with open_snapshot(folder / FILE_NAME, _TABLE) as connection:
        last = Last(0, GENESIS)
        key = read_key(folder)
        if connection is not None and key is not None:
            last = check(connection, key, head)
        elif connection is not None and connection.execute("SELECT 1 FROM audit").fetchone():
            raise missing_key(folder)
        elif head is not None and head.seq:
            raise AuditBroken(f"row 1 is missing, and every row after it up to row {head.seq}")
        if known is not None and known.seq:
            row = connection and connection.execute("SELECT hash FROM audit WHERE seq = ?", known[:1]).fetchone()
            if row != (known.hash,):
                raise AuditBroken(f"row {known.seq} is not the one with the hash {known.hash}")
    return last


def list_log(folder: Path, *, kind: str = "", run_id: str = "", limit: int = 50) -> list[AuditEntry]:
    """The last entries of a kind, or about a run, oldest first; `StorageFailed` when they cannot be read."""
    with open_snapshot(folder / FILE_NAME, _TABLE) as connection:
        if connection is None:
            return []
        rows = connection.execute(
            "SELECT seq, at, kind, details FROM audit WHERE ? IN ('', kind)"
            " AND ? IN ('', json_extract(details, '$.run')) ORDER BY seq DESC LIMIT ?",
            (kind, run_id, limit),
        ).fetchall()
    return [_entry(*row) for row in reversed(rows)]


def _entry(seq: int, at: str, kind: str, details: str) -> AuditEntry:
    try:
        return AuditEntry(seq=seq, at=at, kind=kind, details=msgspec.json.decode(details, type=dict[str, Any]))
    except msgspec.MsgspecError as error:
        raise AuditBroken(f"row {seq} was changed") from error
