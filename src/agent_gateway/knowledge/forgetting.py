"""Finds and deletes the remembered interactions that are to be forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from agent_gateway.interfaces import Forgetting
from agent_gateway.knowledge.filters import Filter, FilterColumn, compile_filters, equals
from agent_gateway.knowledge.lancedb_store import Store
from agent_gateway.knowledge.rows import INTERACTIONS
from agent_gateway.knowledge.tables import storage_errors

#: Run ids in one condition.
BATCH = 500


async def find_interactions(store: Store, which: Forgetting) -> tuple[str, ...]:
    """The ids of the runs whose interactions match; none when nothing was ever remembered."""
    table = await store.tables.find(INTERACTIONS)
    if table is None:
        return ()
    with storage_errors("cannot read the remembered interactions"):
        query = table.query().select(["run_id", "sources"])
        if filters := _filters(which):
            query = query.where(compile_filters(filters))
        return await asyncio.to_thread(_match, await query.to_arrow(), which)


async def delete_interactions(store: Store, run_ids: Sequence[str]) -> None:
    """Delete the interactions of these runs: nothing reads them any more, and their bytes go when files are merged."""
    for first in range(0, len(run_ids), BATCH):
        await store.delete_interactions([Filter("run_id", tuple(run_ids[first : first + BATCH]))])


def _filters(which: Forgetting) -> list[Filter]:
    wanted: dict[FilterColumn, str | None] = {"run_id": which.run_id, "owner": which.owner, "persona": which.persona}
    return [equals(column, value) for column, value in wanted.items() if value is not None]


def _match(table: Any, which: Forgetting) -> tuple[str, ...]:
    pairs = zip(table["run_id"].to_pylist(), table["sources"].to_pylist(), strict=True)
    return tuple(run_id for run_id, sources in pairs if which.cites(sources))
