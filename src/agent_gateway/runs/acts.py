"""Runs that act: approvals, the journal, the audit log and checkpoints, and how they make runs go on."""

from __future__ import annotations

from agent_gateway.approval import Approval
from agent_gateway.runs.approvals import SqliteApprovals
from agent_gateway.runs.audit import SqliteAudit
from agent_gateway.runs.checkpoints import SqliteCheckpoints
from agent_gateway.runs.database import Database
from agent_gateway.runs.executions import Executions
from agent_gateway.runs.expiry import Expiry
from agent_gateway.runs.identifiers import moment_of
from agent_gateway.runs.journal import SqliteJournal
from agent_gateway.runs.recovery import Recovery
from agent_gateway.runs.resumption import Resumption


class Acts:
    """The stores of runs that act, over the one group commit, and what wakes a run that waits."""

    def __init__(self, database: Database, executions: Executions, recovery: Recovery) -> None:
        commits, lives = executions.commits, executions.lives
        resumption = Resumption(database, recovery)
        self.consider = resumption.consider
        self._resumption = resumption
        self._expiry = Expiry(commits, resumption.consider)
        self.approvals = SqliteApprovals(
            database, commits, lives, on_requested=self._watch, on_decided=resumption.consider
        )
        self.journal = SqliteJournal(database, commits, lives)
        self.audit = SqliteAudit(commits)
        self.checkpoints = SqliteCheckpoints(database, commits, lives)

    async def recover(self) -> None:
        """Expire what is due, wait for what is not, and let runs go on whose approval was decided meanwhile.

        Effects that were cut off and that no run will look up are recorded as unknown.
        """
        await self.journal.give_up()
        await self._expiry.sweep()
        await self._resumption.consider_all()

    def close(self) -> None:
        """Wake no run any more."""
        self._expiry.close()
        self._resumption.close()

    def _watch(self, approval: Approval) -> None:
        self._expiry.watch(moment_of(approval.expires_at).microseconds)
