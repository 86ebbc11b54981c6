"""Durable runs: conversations, runs and their numbered events, and the outbox to the knowledge base, over SQLite.

Every event is on disk before anybody sees it. A run goes on when its caller goes away, and is taken up again under its
id when the process was cut. Runs that act have approvals, an effect journal, checkpoints and an audit log, written in
the same transactions; one that waits for a human takes up nothing but its rows.
"""

from __future__ import annotations

from agent_gateway.runs.database import Draining
from agent_gateway.runs.outbox import Sink
from agent_gateway.runs.store import RunOptions, SqliteRuns
from agent_gateway.runs.withdrawal import StoredWithdrawal

__all__ = ["Draining", "RunOptions", "Sink", "SqliteRuns", "StoredWithdrawal"]
