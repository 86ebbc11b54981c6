"""One model's try at a task: its place in the queue, a second go where that helps, and the answer's pieces."""

from __future__ import annotations

import asyncio
import random

import msgspec

from agent_gateway.completion import ChatModel, ModelInfo
from agent_gateway.errors import ModelFailed
from agent_gateway.interfaces import CompletionPiece, CompletionTask
from agent_gateway.messages import Tier
from agent_gateway.models.breaker import Permit
from agent_gateway.models.call import Call
from agent_gateway.models.connections import Connection
from agent_gateway.models.pricing import Books
from agent_gateway.models.timing import TIMEOUT

BUSY, RESTING = "model_busy", "model_resting"
#: With these no server was asked anything, and nothing is to be recorded.
_UNASKED = frozenset({"model_unreachable", "model_key_missing"})
CANCELLED, OK = "cancelled", "ok"
#: Seconds before the same model is asked again, and up to which a server's wish to be left alone is waited for.
_BACKOFF = (0.2, 0.5)
_LONGEST_PAUSE = 2.0


class Attempt:
    """`start`, then `next` until None, then `close`, whatever happened.

    `last`: no other model is left to ask, so that even a slow one is asked twice.
    """

    def __init__(
        self, task: CompletionTask, tier: Tier, connection: Connection, books: Books, *, last: bool = False
    ) -> None:
        self.spoke = False
        self._task = task
        self._tier: Tier = tier
        self._connection = connection
        self._books = books
        self._last = last
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._retried = False
        self._queued = False
        self._permit: Permit | None = None
        self._call: Call | None = None
        self._reserved: float | None = None
        self._outcome = CANCELLED

    async def start(self) -> CompletionPiece:
        """The first piece, or `ModelFailed` before anything was said: another model may be asked."""
        await self._queue()
        chat = await self._open()
        adapted: set[str] = set()
        while True:
            info = self._connection.info(self._tier)
            try:
                return await self._ask(chat, info)
            except ModelFailed as error:
                await self._end_call(error.code)
                if error.code not in adapted and self._connection.learn(error, info):
                    adapted.add(error.code)
                    continue
                pause = self._pause_before_retry(error)
                if pause is None:
                    self._blame(error)
                    raise
            self._retried = True
            await asyncio.sleep(pause)

    async def next(self) -> CompletionPiece | None:
        """The next piece, None after the last; `ModelFailed` when the answer was cut."""
        if self._call is None:
            return None
        try:
            return await self._read(self._call)
        except ModelFailed as error:
            self._outcome = error.code
            raise self._cut(error) from error

    async def close(self) -> None:
        """Cut what still streams, record the call, free the place in the queue."""
        try:
            await self._end_call(self._outcome)
        finally:
            self._release()

    async def _queue(self) -> None:
        task, spec = self._task, self._connection.spec
        until = min(self._began + spec.timeouts.queue, task.deadline)
        try:
            await self._connection.queue.join(f"{task.persona.id}\0{task.owner}", until)
        except TimeoutError:
            waited = self._loop.time() - self._began
            raise ModelFailed(f"busy, no place in its queue for {waited:.1f} s", code=BUSY, unfit=True) from None
        self._queued = True
        self._permit = self._connection.breaker.admit()
        if self._permit is None:  # others found out while this one waited
            raise ModelFailed(self._connection.breaker.why, code=RESTING, unfit=True)

    async def _open(self) -> ChatModel:
        try:
            async with asyncio.timeout_at(self._task.deadline):
                return await self._connection.open()
        except TimeoutError:
            raise ModelFailed("what talks to it is still being loaded", code=BUSY, unfit=True) from None
        except ModelFailed as error:
            self._blame(error)
            raise

    async def _ask(self, chat: ChatModel, info: ModelInfo) -> CompletionPiece:
        request = self._task.build(info)
        # Nothing is awaited between this and the call: of many that begin at once, each sees those before it.
        self._reserved = self._books.reserve(self._task.persona, self._connection.spec, request)
        self._call = Call(chat, self._connection.spec, info, request, self._task.deadline)
        piece = await self._read(self._call)
        return msgspec.structs.replace(piece, model=info)

    async def _read(self, call: Call) -> CompletionPiece:
        text = await call.next()
        if not self.spoke and self._permit is not None:
            self._connection.breaker.succeed(self._permit)
        self.spoke = True
        if text is not None:
            return CompletionPiece(text=text)
        assert call.finish is not None
        piece = CompletionPiece(finish=call.finish.finish, tool_requests=call.finish.tool_requests, usage=call.usage())
        # Before the last piece is handed on: who has it may take its time before it asks for more.
        self._outcome = OK
        await self.close()
        return piece

    async def _end_call(self, outcome: str) -> None:
        call, self._call = self._call, None
        if self._reserved is not None:
            # What it did cost is recorded before anybody else can ask.
            self._books.release(self._task.persona, self._reserved)
            self._reserved = None
        if call is None:
            return
        if call.answered or outcome not in _UNASKED:
            ms = (self._loop.time() - self._began) * 1000
            self._books.record(self._task, self._tier, self._connection.spec, call.usage(), ms, outcome)
        self._began = self._loop.time()
        await call.close()

    def _release(self) -> None:
        if self._permit is not None:
            self._connection.breaker.leave(self._permit)
            self._permit = None
        if self._queued:
            self._queued = False
            self._connection.queue.leave()

    def _pause_before_retry(self, error: ModelFailed) -> float | None:
        """Seconds until the same model is asked again; None when it is not."""
        if self._retried or not self._task.retry or not (error.transient or error.retry_after is not None):
            return None
        if error.code == TIMEOUT and not self._last:
            return None  # it has taken its time already, another one may be faster
        pause = random.uniform(*_BACKOFF) if error.retry_after is None else error.retry_after  # noqa: S311 - no secret
        return pause if pause <= _LONGEST_PAUSE and self._loop.time() + pause < self._task.deadline else None

    def _blame(self, error: ModelFailed, *, cut: bool = False) -> None:
        """Have the breaker count a failure, unless it was the turn that had no more time."""
        if self._permit is not None and not (error.code == TIMEOUT and self._late()):
            self._connection.breaker.fail(self._permit, error, self._connection.explain(error), cut=cut)

    def _cut(self, error: ModelFailed) -> ModelFailed:
        self._blame(error, cut=True)
        if error.code == TIMEOUT and self._late():
            what = f"{self._connection.name} was still writing when the turn's time was over"
            hint = "ask again, or allow turns more time with models.deadline_seconds"
        else:
            what, hint = self._connection.explain(error), "ask again, another model will be used"
        return ModelFailed(f"{what}; the answer is cut in the middle", code=error.code, hint=hint)

    def _late(self) -> bool:
        return self._loop.time() >= self._task.deadline
