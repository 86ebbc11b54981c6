"""What models were used for and what it cost: rows in the commit of everything else, today's sums in memory.

The rows hold counts and names, nothing that anybody wrote. They stay when a conversation is deleted: what was spent was
spent, and a budget that forgot it could be spent again.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeAlias

from agent_gateway.interfaces import ModelUse
from agent_gateway.messages import TurnUsage
from agent_gateway.runs.batch import Row
from agent_gateway.runs.commits import GroupCommit
from agent_gateway.runs.live import LiveRuns

#: USD by day (ISO 8601) and persona.
Sums: TypeAlias = Mapping[tuple[str, str], float]

#: The length of a day in an ISO 8601 time.
DAY_LENGTH = len("2026-01-31")
#: The stage whose calls write the answer.
_WRITING = "act"
#: More tokens than any call has: a server that counts beyond says nonsense, which SQLite could not hold.
TOKEN_LIMIT = 2**53


def utc_day() -> str:
    """Today, in UTC, as ISO 8601."""
    return datetime.now(UTC).date().isoformat()


def read_spent(connection: sqlite3.Connection, *, day: str) -> dict[tuple[str, str], float]:
    """What each persona's models have cost since a day began."""
    rows = connection.execute(
        "SELECT day, persona, sum(cost) FROM model_uses WHERE day >= ? GROUP BY day, persona", (day,)
    )
    return {(each, persona): cost for each, persona, cost in rows}


class SqliteLedger:
    """The `Ledger` of a gateway. `spent` are the stored sums of today; `today` names the day, in UTC.

    A call counts for the day of its `at`, and for its run while that is among `lives`. The sums also hold what could
    not be stored.
    """

    def __init__(self, commits: GroupCommit, lives: LiveRuns, spent: Sums, today: Callable[[], str] = utc_day) -> None:
        self._commits = commits
        self._lives = lives
        # One entry a day and persona: after a year a gateway still holds next to nothing, so none is ever removed.
        self._spent = dict(spent)
        self._today = today

    def record(self, use: ModelUse) -> None:
        """Keep a call, in the next commit; does not wait."""
        key = (use.at[:DAY_LENGTH], use.persona)
        self._spent[key] = self._spent.get(key, 0.0) + _amount(use.cost)
        live = self._lives.find(use.run_id)
        if live is not None and use.stage == _WRITING and (use.prompt_tokens or use.completion_tokens):
            live.usage = _add(live.usage, use)
        self._commits.note(_row(use))

    def spent(self, persona: str) -> float:
        """What a persona's models have cost today (UTC), in USD."""
        return self._spent.get((self._today(), persona), 0.0)


def _add(usage: TurnUsage | None, use: ModelUse) -> TurnUsage:
    sums = usage or TurnUsage(prompt_tokens=0, completion_tokens=0, cost=0.0)
    return TurnUsage(
        prompt_tokens=sums.prompt_tokens + _count(use.prompt_tokens),
        completion_tokens=sums.completion_tokens + _count(use.completion_tokens),
        cost=round(sums.cost + _amount(use.cost), 8),
        estimated=sums.estimated or use.estimated,
    )


def _row(use: ModelUse) -> Row:
    """The use in the order of the table's columns. A value SQLite refused would undo the commit of every run."""
    return (
        _text(use.run_id),
        _text(use.persona),
        _text(use.stage),
        use.tier,
        _text(use.model),
        use.at[:DAY_LENGTH],
        _count(use.prompt_tokens),
        _count(use.completion_tokens),
        int(use.estimated),
        _amount(use.cost),
        _amount(use.large_cost),
        _amount(use.ms),
        _text(use.outcome),
        use.at,
    )


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _count(number: int) -> int:
    return min(max(number, 0), TOKEN_LIMIT)


def _amount(number: float) -> float:
    return number if math.isfinite(number) else 0.0
