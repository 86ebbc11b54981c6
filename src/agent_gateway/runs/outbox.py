"""The outbox: what the knowledge base has to learn or forget, durable here first, handed over in batches."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeAlias

import msgspec
import structlog

from agent_gateway.errors import GatewayError
from agent_gateway.interfaces import Interaction
from agent_gateway.runs.batch import Statement
from agent_gateway.runs.commits import GroupCommit
from agent_gateway.runs.database import Database

#: Takes what to remember and the run ids to forget; done twice it must be as if done once.
Sink: TypeAlias = Callable[[Sequence[Interaction], Sequence[str]], Awaitable[None]]

#: Rows handed over at a time.
BATCH = 500
FIRST_RETRY_SECONDS = 1.0
LAST_RETRY_SECONDS = 60.0

_log = structlog.get_logger(__name__)
_INTERACTION = msgspec.json.Decoder(Interaction)
_RUN_IDS = msgspec.json.Decoder(list[str])


class Delivery(NamedTuple):
    """Rows of the outbox in their order; a run that is forgotten in the same delivery is not remembered."""

    rows: int
    last_id: int
    remember: list[Interaction]
    forget: list[str]


class Outbox:
    """Hands rows to a sink, in order, and deletes them when it took them."""

    def __init__(self, database: Database, *, delay: float) -> None:
        self._database = database
        self._delay = delay
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def notify(self) -> None:
        """There are new rows."""
        self._wake.set()

    async def drain_into(self, sink: Sink, commits: GroupCommit) -> None:
        """Hand over rows as they come, until `close`; a sink that fails is tried again later with the same rows."""
        self._idle.clear()
        try:
            self._wake.set()
            retry = FIRST_RETRY_SECONDS
            while self._wake.is_set() or not self._closing.is_set():
                await self._wake.wait()
                await self._pause(self._delay)
                self._wake.clear()
                try:
                    await self._empty_into(sink, commits)
                    retry = FIRST_RETRY_SECONDS
                except GatewayError as error:
                    if self._closing.is_set():
                        return
                    _log.warning("outbox_waits", retry_seconds=retry, error=str(error))
                    self._wake.set()
                    await self._pause(retry)
                    retry = min(2 * retry, LAST_RETRY_SECONDS)
        finally:
            self._idle.set()

    async def close(self, timeout_seconds: float) -> None:
        """Have what is left handed over at once; what does not get through in time stays for the next start."""
        self._closing.set()
        self._wake.set()
        await asyncio.wait([waiting := asyncio.ensure_future(self._idle.wait())], timeout=timeout_seconds)
        waiting.cancel()

    async def _empty_into(self, sink: Sink, commits: GroupCommit) -> None:
        while True:
            delivery = await self._database.read(read_delivery)
            if delivery.rows == 0:
                return
            await sink(delivery.remember, delivery.forget)
            await commits.execute(("DELETE FROM outbox WHERE id <= ?", (delivery.last_id,)))
            if delivery.rows < BATCH:
                return

    async def _pause(self, seconds: float) -> None:
        await asyncio.wait([closing := asyncio.ensure_future(self._closing.wait())], timeout=seconds)
        closing.cancel()


def forget_row(run_ids: Sequence[str], at: str) -> Statement:
    """The statement that queues the forgetting of runs."""
    return (
        "INSERT INTO outbox (kind, payload, created_at) VALUES ('forget', ?, ?)",
        (msgspec.json.encode(run_ids), at),
    )


def read_delivery(connection: sqlite3.Connection) -> Delivery:
    """The oldest rows."""
    rows = connection.execute("SELECT id, kind, payload FROM outbox ORDER BY id LIMIT ?", (BATCH,)).fetchall()
    forget = [run_id for _, kind, payload in rows if kind == "forget" for run_id in _RUN_IDS.decode(payload)]
    forgotten = frozenset(forget)
    remember = [decode_interaction(payload) for _, kind, payload in rows if kind == "remember"]
    kept = [interaction for interaction in remember if interaction and interaction.run_id not in forgotten]
    return Delivery(len(rows), rows[-1][0] if rows else 0, kept, forget)


def decode_interaction(payload: bytes) -> Interaction | None:
    """Read a row that remembers; None, and a line in the log, when it cannot be read."""
    try:
        return _INTERACTION.decode(payload)
    except msgspec.MsgspecError as error:
        # Written by another version; one such row must not hold up all that follow.
        _log.error("outbox_row_dropped", error=str(error))
        return None
