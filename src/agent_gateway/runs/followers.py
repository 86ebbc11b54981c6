"""Reading a run's events in order, wherever they are: first from the database, then live, without gap or duplicate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from agent_gateway.errors import StorageFailed
from agent_gateway.events import Event
from agent_gateway.messages import Answer, Run
from agent_gateway.runs.database import Database, Draining
from agent_gateway.runs.live import LiveRun, LiveRuns
from agent_gateway.runs.records import EVENTS_PAGE, read_events, read_run, run_not_found


class Followers:
    """Any number of readers of any run; each holds no more than its place in the run's list of events."""

    def __init__(self, database: Database, lives: LiveRuns) -> None:
        self._database = database
        self._lives = lives

    async def follow(self, run_id: str, after: int) -> AsyncGenerator[Event]:
        """The events after a sequence number to the terminal one; waits while the run is interrupted or waits.

        Raises `NotFound`, and `Draining` when the process goes before the run's end.
        """
        while True:
            revived = self._lives.revived
            live = self._lives.find(run_id)
            # The status is read before the events: what had ended by then has no later ones.
            ended = live is None and _has_ended(await self._stored_run(run_id, revived))
            upto = None if live is None else live.first_seq - 1
            async with aclosing(self._stored(run_id, after, upto)) as events:
                async for event in events:
                    yield event
                    after = event.seq
            if live is not None:
                async with aclosing(self._live(live, after)) as events:
                    async for event in events:
                        yield event
                        after = event.seq
                if live.run.status == "waiting":
                    continue
                return
            if ended:
                return
            await self._revival(revived)

    async def result(self, run_id: str) -> Answer:
        """The outcome of a run, once it has ended or waits for a human; raises as `follow` does."""
        while True:
            revived = self._lives.revived
            live = self._lives.find(run_id)
            if live is not None:
                await self._lives.wait_end(live)
                run = live.run
            else:
                run = await self._stored_run(run_id, revived)
            if run.answer is not None:
                return run.answer
            await self._revival(revived)

    async def _stored(self, run_id: str, after: int, upto: int | None) -> AsyncGenerator[Event]:
        while upto is None or after < upto:
            page = await self._database.read(partial(read_events, run_id=run_id, after=after, upto=upto))
            for event in page:
                yield event
                after = event.seq
            if len(page) < EVENTS_PAGE:
                return

    async def _live(self, live: LiveRun, after: int) -> AsyncGenerator[Event]:
        index = max(0, after + 1 - live.first_seq)
        while True:
            while index < len(live.events):
                yield live.events[index]
                index += 1
                if index % EVENTS_PAGE == 0:
                    await asyncio.sleep(0)
            if live.over and live.run.status != "interrupted":
                return
            if live.over or self._lives.closing:
                raise Draining
            # Nothing was waited for since the last look, so nothing was missed.
            await live.changed.wait()

    async def _stored_run(self, run_id: str, revived: asyncio.Event) -> Run:
        stored = await self._database.read(partial(read_run, run_id=run_id))
        if stored is None:
            raise run_not_found(run_id)
        if stored.run.status == "running" and not revived.is_set():
            # Neither going on nor waiting to be resumed: its last commits failed, and were given up.
            raise StorageFailed("how this run ended could not be stored", hint="ask again")
        return stored.run

    async def _revival(self, revived: asyncio.Event) -> None:
        if self._lives.closing:
            raise Draining
        await revived.wait()


def _has_ended(run: Run) -> bool:
    return run.status not in {"running", "interrupted", "waiting"}
