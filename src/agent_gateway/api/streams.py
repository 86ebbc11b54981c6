"""What a live stream has ready to send, and who listens to a run: live streams, which a drain ends, and others."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from agent_gateway.bell import Bell

#: Bytes that wait for a slow reader before its run's events are no longer fetched.
WINDOW = 65_536
KEEPALIVE = b": keep-alive\n\n"


class Outbox:
    """The bytes of one connection between the task that fetches events and the one that sends them.

    Everything that is put before the sender comes round leaves in one piece. After `keepalive` seconds without a put
    a comment is put. `ended`: nothing more will come. `finished`: because the run's last event is
    there. `stopped`: the gateway drains. `left`: the caller went away.
    """

    def __init__(self, keepalive: float) -> None:
        self.ended = False
        self.finished = False
        self.stopped = False
        self.left = False
        self._keepalive = keepalive
        self._loop = asyncio.get_running_loop()
        self._parts: list[bytes] = []
        self._size = 0
        self._filled = False
        self._bell = Bell()
        self._room = asyncio.Event()
        self._room.set()
        self._last_put = self._loop.time()
        self._timer = self._loop.call_later(keepalive, self._tick)

    def put(self, part: bytes) -> None:
        """Add a piece."""
        self._parts.append(part)
        self._size += len(part)
        self._last_put = self._loop.time()
        if self._size >= WINDOW:
            self._room.clear()
        self._fill()

    async def room(self) -> None:
        """Wait until the reader has caught up."""
        if not self._room.is_set():
            await self._room.wait()

    def finish(self) -> None:
        """Say that the run's last event has been put."""
        self.finished = True

    def end(self) -> None:
        """Say that nothing more will be put."""
        self.ended = True
        self._fill()

    def leave(self) -> None:
        """Say that nobody reads any more."""
        self.left = True
        self.end()

    def stop(self) -> None:
        """Send what is here, then say that the gateway drains."""
        self.stopped = True
        self._fill()

    async def take(self) -> bytes:
        """Take everything there is, as soon as there is something; may be empty at the end."""
        while not self._filled:
            await self._bell.wait()
        self._filled = False
        taken = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        if not self._room.is_set():
            self._room.set()
        return taken

    def _fill(self) -> None:
        self._filled = True
        self._bell.ring()

    def close(self) -> None:
        """Forget the timer."""
        self._timer.cancel()

    def _tick(self) -> None:
        # One timer per connection that is moved on, not one per event: events are far more frequent.
        due = self._last_put + self._keepalive
        if self._loop.time() >= due:
            if not self._parts:
                self.put(KEEPALIVE)
            due = self._loop.time() + self._keepalive
        self._timer = self._loop.call_at(due, self._tick)


class Streams:
    """The connections that follow a run; its length counts the streams among them."""

    def __init__(self) -> None:
        self._live: dict[Outbox, str] = {}
        self._waiting: Counter[str] = Counter()
        self._stopped = False

    def __len__(self) -> int:
        return len(self._live)

    def following(self, run_id: str) -> int:
        """How many listen to a run: its streams, and those who wait for its answer."""
        return sum(each == run_id for each in self._live.values()) + self._waiting[run_id]

    @contextmanager
    def waiting(self, run_id: str) -> Iterator[None]:
        """Count somebody who waits for a run's answer without a stream."""
        self._waiting[run_id] += 1
        try:
            yield
        finally:
            self._waiting[run_id] -= 1
            if not self._waiting[run_id]:
                del self._waiting[run_id]

    @contextmanager
    def joined(self, outbox: Outbox, run_id: str) -> Iterator[None]:
        """Count a run's stream while it lives; one that comes during a drain is stopped at once."""
        self._live[outbox] = run_id
        if self._stopped:
            outbox.stop()
        try:
            yield
        finally:
            del self._live[outbox]

    def stop(self) -> None:
        """End every stream, now and from now on."""
        self._stopped = True
        for outbox in self._live:
            outbox.stop()
