"""`audit verify` and `audit list`: the audit log, checked and shown."""

from __future__ import annotations

import re

import msgspec

from agent_gateway.cli.output import Output, encode
from agent_gateway.config import Configuration
from agent_gateway.errors import InvalidInput
from agent_gateway.runs.audit_chain import Last
from agent_gateway.runs.audit_reading import AuditEntry, list_log, verify_log

_HEAD = re.compile(r"(\d{1,15}):([0-9a-f]{64})")


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """A log that is whole: its number of rows, and the hash of the last one."""

    rows: int
    head: str


def report_check(configuration: Configuration, head: str, *, as_json: bool) -> None:
    """Check the audit log and say what it ends with; `AuditBroken` names the first row that is wrong.

    `head`: what an earlier check ended with, `N:HASH`, or empty; `InvalidInput` when it is neither.
    """
    last = verify_log(configuration.settings.data_dir, read_given(head) if head else None)
    output = Output(as_json=as_json)
    if as_json:
        output.document(AuditReport(rows=last.seq, head=f"{last.seq}:{last.hash}"))
    elif last.seq:
        output.text(f"The audit log is whole: {last.seq} rows.")
        output.text(f"Head: {last.seq}:{last.hash}")
    else:
        output.text("Nothing is in the audit log yet.")


def read_given(head: str) -> Last:
    """Read what an earlier check ended with."""
    found = _HEAD.fullmatch(head)
    if found is None:
        raise InvalidInput(f"{head!r} is not what a check ends with", hint="copy the part behind `Head: `")
    return Last(int(found[1]), found[2])


def report_entries(configuration: Configuration, wanted: tuple[str, str, int], *, as_json: bool) -> None:
    """Show the last entries, oldest first: of a kind (or empty), of a run (or empty), and at most so many."""
    kind, run_id, limit = wanted
    entries = list_log(configuration.settings.data_dir, kind=kind, run_id=run_id, limit=limit)
    output = Output(as_json=as_json)
    if as_json:
        output.document({"entries": entries})
    elif entries:
        output.table(("ROW", "AT", "KIND", "DETAILS"), [cells(entry) for entry in entries])
    else:
        output.text("There is no such entry." if kind or run_id else "Nothing is in the audit log yet.")


def cells(entry: AuditEntry) -> tuple[object, ...]:
    """Write an entry as a line of the table."""
    details = ", ".join(f"{name} {value if isinstance(value, str) else encode(value).decode()}"
                        for name, value in entry.details.items() if value not in ("", [], None))  # fmt: skip
    return entry.seq, entry.at[: len("2026-01-31T12:00:00")], entry.kind, details
