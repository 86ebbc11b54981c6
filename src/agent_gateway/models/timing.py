"""Time limits for a model's stream, whoever wrote the adapter.

The adapter's generator runs in a task of its own from beginning to end: a limit is a wait that ends, whatever the
generator does meanwhile, and its libraries are closed in the task in which they were opened.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

import structlog

from agent_gateway.completion import CompletionChunk, Timeouts
from agent_gateway.errors import ModelFailed

TIMEOUT, BROKEN = "model_timeout", "model_adapter_failed"
#: Chunks that are read ahead of whoever listens.
_AHEAD = 64
#: Seconds a stream may take to end when it is closed; and, after its `finish`, to say its usage and end by itself.
CLOSING_SECONDS = 0.5
LINGER_SECONDS = 1.0

log = structlog.get_logger(__name__)
#: The event loop keeps no strong reference to a task that was given up.
_abandoned: set[asyncio.Task[None]] = set()


class TimedStream:
    """The chunks of one answer. `deadline` is on the event loop's clock, `name` is the model's, for messages."""

    def __init__(self, chunks: AsyncIterator[CompletionChunk], limits: Timeouts, deadline: float, name: str) -> None:
        self._limits = limits
        self._deadline = deadline
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._buffer: deque[CompletionChunk] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._spoke = False
        self._task = asyncio.create_task(self._read(chunks))
        self._task.add_done_callback(self._wake)

    @property
    def spoke(self) -> bool:
        """Whether a chunk came."""
        return self._spoke

    async def next(self) -> CompletionChunk | None:
        """The next chunk, None at the end; `ModelFailed` for whatever goes wrong, and when it takes too long."""
        while not self._buffer:
            if self._task.done():
                self._raise_failure()
                return None
            await self._wait()
        chunk = self._buffer.popleft()
        self._spoke = True
        if not self._buffer:
            self._room.set()
        return chunk

    def linger(self) -> None:
        """What counts has come: from here on wait a moment only."""
        self._deadline = min(self._deadline, self._loop.time() + LINGER_SECONDS)

    async def close(self) -> None:
        """Cut what still streams; one that does not end by itself then is left to itself."""
        if self._task.done():
            return
        self._task.cancel()
        await asyncio.wait((self._task,), timeout=CLOSING_SECONDS)
        if not self._task.done():
            _abandoned.add(self._task)
            self._task.add_done_callback(_abandoned.discard)
            log.warning("model_stream_abandoned", model=self._name, seconds=CLOSING_SECONDS)

    def _raise_failure(self) -> None:
        # Nobody has cancelled the task yet: if it was, then by something in the adapter.
        error = asyncio.CancelledError() if self._task.cancelled() else self._task.exception()
        if isinstance(error, ModelFailed):
            raise error
        if isinstance(error, Exception | asyncio.CancelledError):
            # An adapter may be a plugin's: what it forgot to translate must not take the turn with it.
            log.error("model_adapter_failed", model=self._name, exc_info=error)
            why = f"{self._name} could not be talked to: {type(error).__name__}"
            raise ModelFailed(why, code=BROKEN, hint="see the gateway's log") from error

    async def _wait(self) -> None:
        now = self._loop.time()
        until = now + self._limits.stall if self._spoke else self._began + self._limits.first
        self._waiter = self._loop.create_future()
        try:
            async with asyncio.timeout_at(min(until, self._deadline)):
                await self._waiter
        except TimeoutError:
            raise self._late(self._loop.time() - (now if self._spoke else self._began)) from None
        finally:
            self._waiter = None

    def _late(self, waited: float) -> ModelFailed:
        what = "sent nothing more" if self._spoke else "sent nothing"
        return ModelFailed(f"{self._name} {what} for {waited:.1f} s", code=TIMEOUT, transient=not self._spoke)

    async def _read(self, chunks: AsyncIterator[CompletionChunk]) -> None:
        try:
            async for chunk in chunks:
                self._buffer.append(chunk)
                self._wake()
                if len(self._buffer) >= _AHEAD:
                    self._room.clear()
                    await self._room.wait()
        finally:
            close = getattr(chunks, "aclose", None)
            if close is not None:
                await close()

    def _wake(self, task: asyncio.Task[None] | None = None) -> None:
        if task is not None and not task.cancelled():
            task.exception()  # seen, even if nobody listens any more
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
