"""What ends with a run that acts: the approvals that nobody used, and the state to go on from."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from agent_gateway.runs.approval_changes import OPEN, close_approvals
from agent_gateway.runs.audit_chain import AuditChain
from agent_gateway.runs.outbox import forget_row

#: Goes into the commit of a run's end, with the time of that.
Closure: TypeAlias = Callable[[str, sqlite3.Connection], None]


def closure_of(chain: AuditChain, run_id: str) -> Closure:
    """What goes into the commit of a run's end."""
    return partial(_close, chain, run_id)


def _close(chain: AuditChain, run_id: str, at: str, connection: sqlite3.Connection) -> None:
    rows = connection.execute(f"SELECT id FROM approvals WHERE run_id = ? AND {OPEN}", (run_id,)).fetchall()  # noqa: S608 the condition is a constant
    close_approvals(connection, chain=chain, ids=[approval_id for (approval_id,) in rows], status="void", at=at)
    connection.execute("DELETE FROM checkpoints WHERE run_id = ?", (run_id,))


def delete_conversation(connection: sqlite3.Connection, *, chain: AuditChain, conversation_id: str, at: str) -> None:
    """Delete a conversation with its runs, and queue that their interactions are forgotten.

    What they asked for and did stays, without what anybody wrote. The arguments of an effect that nobody knows the
    outcome of are kept until it is known: they are needed to ask the world.
    """
    runs = [run for (run,) in connection.execute("SELECT id FROM runs WHERE conversation_id = ?", (conversation_id,))]
    for run_id in runs:
        _close(chain, run_id, at, connection)
        connection.execute(
            "UPDATE approvals SET arguments = '{}', reason = '', summary = '', diff = '', comment = ''"
            " WHERE run_id = ?",
            (run_id,),
        )
        connection.execute("UPDATE effects SET forgotten = 1, comment = '' WHERE run_id = ?", (run_id,))
        connection.execute(
            "UPDATE effects SET arguments = '{}', result = NULL WHERE run_id = ? AND outcome <> ''", (run_id,)
        )
    connection.execute(*forget_row(runs, at))
    connection.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))
