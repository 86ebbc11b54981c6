"""Time limits for a model's stream, whoever wrote the adapter.

An adapter's generator runs in a task of its own from beginning to end: a limit is a wait that ends, whatever the
generator does meanwhile, and its libraries are closed in the task in which they were opened. An adapter that promises
to end at once when it is cancelled (`ends_at_once`) is read without that task, which saves half of a token's cost.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Protocol

import structlog

from agent_gateway.completion import ChatModel, CompletionChunk, CompletionRequest, Timeouts
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


class ModelStream(Protocol):
    """The chunks of one answer, within their time."""

    @property
    def spoke(self) -> bool:
        """Whether a chunk came."""
        ...

    async def next(self) -> CompletionChunk | None:
        """The next chunk, None at the end; `ModelFailed` as the adapter says, or when it takes too long."""
        ...

    def linger(self) -> None:
        """What counts has come: from here on wait a moment only."""
        ...

    async def close(self) -> None:
        """Cut what still streams."""
        ...


def open_stream(
    chat: ChatModel, request: CompletionRequest, limits: Timeouts, deadline: float, name: str
) -> ModelStream:
    """Begin an answer. `deadline` is on the event loop's clock, `name` is the model's, for messages."""
    chunks = chat.stream(request)
    if getattr(chat, "ends_at_once", False):
        return WatchedStream(chunks, limits, deadline, name)
    return TimedStream(chunks, limits, deadline, name)


class WatchedStream:
    """The chunks of an adapter that ends at once: whoever wants one waits for it, and one timer watches them all."""

    def __init__(self, chunks: AsyncIterator[CompletionChunk], limits: Timeouts, deadline: float, name: str) -> None:
        self._chunks = chunks
        self._limits = limits
        self._deadline = deadline
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._due = min(self._since + limits.first, deadline)
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[Any] | None = None
        self._cancels = 0
        self._expired = False
        self._spoke = False

    @property
    def spoke(self) -> bool:
        """Whether a chunk came."""
        return self._spoke

    async def next(self) -> CompletionChunk | None:
        """The next chunk, None at the end; `ModelFailed` as the adapter says, or when it takes too long."""
        if self._spoke:
            self._since = now = self._loop.time()
            if now >= self._deadline:  # chunks that are there at once leave the timer no room
                raise late(self._name, 0.0, spoke=True)
            self._due = min(now + self._limits.stall, self._deadline)
        # The timer is not moved for each chunk: it comes too early, and finds out.
        if self._timer is None or self._timer.when() > self._due:
            self._watch()
        self._waiting = task = asyncio.current_task(self._loop)
        assert task is not None
        # Before the wait, not when it has been too long: a cancel from outside may come just before that.
        self._cancels = task.cancelling()
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            return None
        except asyncio.CancelledError:
            if self._expired and task.cancelling() - 1 <= self._cancels:  # nobody else cancelled besides
                raise late(self._name, self._loop.time() - self._since, spoke=self._spoke) from None
            raise
        finally:
            self._waiting = None
            if self._expired:
                self._expired = False
                task.uncancel()
        self._spoke = True
        return chunk

    def linger(self) -> None:
        """What counts has come: from here on wait a moment only."""
        self._deadline = min(self._deadline, self._loop.time() + LINGER_SECONDS)

    async def close(self) -> None:
        """Cut what still streams."""
        if self._timer is not None:
            self._timer.cancel()
        close = getattr(self._chunks, "aclose", None)
        if close is not None:
            await close()

    def _watch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._due, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._waiting is None:
            return
        if self._loop.time() < self._due:
            self._watch()
            return
        self._expired = True
        self._waiting.cancel()


def late(name: str, waited: float, *, spoke: bool) -> ModelFailed:
    """The failure of a model that was waited for long enough."""
    what = "sent nothing more" if spoke else "sent nothing"
    return ModelFailed(f"{name} {what} for {waited:.1f} s", code=TIMEOUT, transient=not spoke)


class TimedStream:
    """The chunks of an adapter that need not end when it should."""

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
            waited = self._loop.time() - (now if self._spoke else self._began)
            raise late(self._name, waited, spoke=self._spoke) from None
        finally:
            self._waiter = None

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
