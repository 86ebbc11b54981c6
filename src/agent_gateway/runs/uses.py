"""Reading the ledger's rows from the database, also while a gateway writes to it."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from agent_gateway.runs.snapshots import open_snapshot

#: What uses are added up by: the name of a column.
Grouping: TypeAlias = Literal["persona", "model", "stage", "tier", "day"]

#: A call that was called off did not fail.
_FAILED = "outcome NOT IN ('ok', 'cancelled')"
_TOTALS = (
    f"count(*), coalesce(sum({_FAILED}), 0), coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0),"
    " coalesce(max(estimated), 0), coalesce(sum(cost), 0.0), coalesce(sum(large_cost), 0.0),"
    " coalesce(sum(CASE WHEN large_cost > 0 THEN large_cost - cost END), 0.0),"
    " coalesce(sum(large_cost = 0 AND prompt_tokens + completion_tokens > 0), 0),"
    " avg(CASE WHEN outcome = 'ok' THEN ms END)"
)


class UseTotals(msgspec.Struct, frozen=True, kw_only=True):
    """The uses of one group. Costs are USD, `mean_ms` is the mean of the calls that went well, None without any.

    `estimated`: some tokens were not counted by the server. `large_cost`: what the large model alone would have cost,
    and `saving` how much less was spent, both without the `unpriced` calls, made when it had no price.
    """

    name: str
    calls: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    estimated: bool
    cost: float
    large_cost: float
    saving: float
    unpriced: int
    mean_ms: float | None


def open_uses(path: Path) -> AbstractContextManager[sqlite3.Connection | None]:
    """One snapshot of a run database, to read only; None when there is no ledger in it yet, or no database.

    `StorageFailed` when it cannot be read.
    """
    return open_snapshot(path, "model_uses")


def read_groups(connection: sqlite3.Connection, *, by: Grouping, since: str, persona: str = "") -> list[UseTotals]:
    """The uses since a day, of one persona or (empty) of all: days in their order, other groups the dearest first."""
    order = "1" if by == "day" else "sum(cost) DESC, count(*) DESC, 1"
    rows = connection.execute(
        f"SELECT {by}, {_TOTALS} FROM model_uses WHERE day >= ? AND ? IN ('', persona) GROUP BY 1 ORDER BY {order}",  # noqa: S608 the parts are constants
        (since, persona),
    )
    return [_totals(row) for row in rows]


def read_total(connection: sqlite3.Connection, *, since: str, persona: str = "") -> UseTotals:
    """All uses since a day, of one persona or (empty) of all."""
    row = connection.execute(
        f"SELECT 'total', {_TOTALS} FROM model_uses WHERE day >= ? AND ? IN ('', persona)",  # noqa: S608 as above
        (since, persona),
    ).fetchone()
    return _totals(row)


def _totals(row: tuple[object, ...]) -> UseTotals:
    # SQLite has no booleans.
    return msgspec.convert(dict(zip(UseTotals.__struct_fields__, row, strict=True)), UseTotals, strict=False)
