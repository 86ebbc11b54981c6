"""The audit log as the gate uses it. What approvals and effects append goes into their own transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import msgspec

from agent_gateway.errors import InvalidInput
from agent_gateway.runs.commits import GroupCommit


class SqliteAudit:
    """The `Audit` of a gateway."""

    def __init__(self, commits: GroupCommit) -> None:
        self._commits = commits

    async def note(self, kind: str, details: Mapping[str, Any]) -> None:
        """Append an entry, durable on return. `kind` is a word like `call_denied`; `details` is JSON, and names only.

        `InvalidInput` for what JSON cannot hold.
        """
        try:
            msgspec.json.encode((kind, details))
        except (TypeError, UnicodeEncodeError) as error:
            raise InvalidInput(f"the audit log cannot hold this: {error}") from error
        at = self._commits.clock.now()

        def append(connection: sqlite3.Connection) -> None:
            self._commits.chain.append(connection, at, kind, details)

        await self._commits.perform(append)
