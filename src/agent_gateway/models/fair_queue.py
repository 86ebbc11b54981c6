"""A model answers so many at a time; the others wait, each owner in turn, so that none crowds out the rest."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque


class FairQueue:
    """At most `limit` places are taken at once. Freed places go round the keys that wait, one call of each in turn."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def taken(self) -> int:
        """Places that are taken."""
        return self._taken

    @property
    def waiting(self) -> int:
        """Calls that wait for a place."""
        return sum(map(len, self._waiting.values()))

    def narrow(self, limit: int) -> None:
        """From now on no more places than `limit`, either; those that are taken stay taken."""
        self._limit = min(self._limit, limit)

    async def join(self, key: str, until: float) -> None:
        """Take a place, which `leave` gives back; `TimeoutError` when none is free by then (the loop's clock)."""
        if self._taken < self._limit and not self._waiting:
            self._taken += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(turn)
        try:
            async with asyncio.timeout_at(until):
                await turn
        except (asyncio.CancelledError, TimeoutError):
            self._withdraw(key, turn)
            raise

    def leave(self) -> None:
        """Give a place back; it is the next one's."""
        self._taken -= 1
        self._grant()

    def _withdraw(self, key: str, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():
            self.leave()  # the place came in the moment in which the caller gave up
            return
        waiting = self._waiting.get(key)
        if waiting is not None and turn in waiting:
            waiting.remove(turn)
            if not waiting:
                del self._waiting[key]

    def _grant(self) -> None:
        while self._taken < self._limit and self._waiting:
            key, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[key] = turns  # at the end: every other key comes first
            if not turn.done():
                turn.set_result(None)
                self._taken += 1
