"""Encodes many texts in a child process, so that this one never holds torch."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from agent_gateway.errors import GatewayError
from agent_gateway.knowledge.encoders.child_channel import ChildChannel
from agent_gateway.knowledge.encoders.wire import (
    EncodeBatch,
    Encoded,
    ExportQueryEncoder,
    ExportReport,
    Failed,
    Reply,
    Request,
    SentenceMode,
    TextToEncode,
    TextVectors,
    frame,
    unpack,
)

_CHILD = "agent_gateway.knowledge.encoders.child"
#: The process holds some 700 MB: it goes when nobody has asked for so long.
_IDLE_SECONDS = 60.0


class BulkEncoder:
    """The reference encoder in a process of its own, started with the first request; it ends when idle and by `close`.

    Requests are carried out one after the other. `GatewayError` when one fails or the process dies; the next request
    starts a new one.
    """

    precision = "fp32"

    def __init__(self, cache: Path, *, mode: SentenceMode = "late", idle_seconds: float = _IDLE_SECONDS) -> None:
        self.mode: SentenceMode = mode
        self._cache = cache
        self._channel: ChildChannel | None = None
        self._idle_seconds = idle_seconds
        self._idle: asyncio.Task[None] | None = None
        self._closing = False
        self._lock = asyncio.Lock()
        self._decoder = msgspec.msgpack.Decoder(Encoded | ExportReport | Failed)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def pid(self) -> int | None:
        """The process's id; None when it is not running."""
        return self._channel.pid if self._channel is not None else None

    async def encode(self, texts: Sequence[TextToEncode]) -> list[TextVectors]:
        """The vectors of texts and of their sentences. A few dozen texts a call keep progress visible."""
        batch = tuple(texts)
        reply = await self._ask(EncodeBatch(batch, self.mode))
        assert isinstance(reply, Encoded)
        return unpack(reply, batch)

    async def export(self, texts: Sequence[str], questions: Sequence[str]) -> ExportReport:
        """Export the query encoder into the cache; see `encoders.export`."""
        reply = await self._ask(ExportQueryEncoder(tuple(texts), tuple(questions)))
        assert isinstance(reply, ExportReport)
        return reply

    async def close(self) -> None:
        """End the process at once; a request under way fails."""
        if self._idle is not None:
            self._idle.cancel()
        self._closing = True
        try:
            if self._channel is not None:
                self._channel.kill()
            async with self._lock:
                await self._stop()
        finally:
            self._closing = False

    async def _ask(self, request: Request) -> Reply:
        async with self._lock:
            if self._idle is not None:
                self._idle.cancel()
            try:
                reply = await self._exchange(frame(request))
            except (OSError, EOFError) as error:
                channel = self._channel
                await self._stop()
                hint = (channel.last_error if channel is not None else "") or "is there enough memory?"
                raise GatewayError(
                    "the encoder process ended unexpectedly", code="encoder_failed", hint=hint
                ) from error
            except BaseException:
                # Cancelled between question and answer: the answer would be taken for that of the next question.
                await self._stop()
                raise
            self._idle = asyncio.create_task(self._stop_when_idle())
        if isinstance(reply, Failed):
            raise GatewayError(reply.detail, code="encoder_failed")
        return reply

    async def _exchange(self, request: bytes) -> Reply:
        if self._channel is None or not self._channel.alive:
            await self._stop()
            command = (sys.executable, "-m", _CHILD, str(self._cache))
            self._channel = await asyncio.to_thread(ChildChannel, command)
        if self._closing:
            raise ConnectionAbortedError("closed while it started")
        reply: Reply = self._decoder.decode(await self._channel.exchange(request))
        return reply

    async def _stop_when_idle(self) -> None:
        await asyncio.sleep(self._idle_seconds)
        async with self._lock:
            await self._stop()

    async def _stop(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()
