"""Encodes many texts in a child process, so that this one never holds torch."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from agent_gateway.errors import GatewayError
from agent_gateway.knowledge.encoders.wire import (
    LENGTH_BYTES,
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
_ERROR_LINES = 20
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
        self._process: Process | None = None
        self._errors: deque[str] = deque(maxlen=_ERROR_LINES)
        self._drain: asyncio.Task[None] | None = None
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
        return self._process.pid if self._process is not None else None

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
            if self._process is not None:
                _kill(self._process)
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
            except (OSError, asyncio.IncompleteReadError) as error:
                await self._stop()
                raise GatewayError(
                    "the encoder process ended unexpectedly",
                    code="encoder_failed",
                    hint=self._errors[-1] if self._errors else "is there enough memory?",
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
        process = self._process
        if process is None or process.returncode is not None:
            await self._stop()
            process = await self._start()
        if self._closing:
            raise ConnectionAbortedError("closed while it started")
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(request)
        await process.stdin.drain()
        length = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES), "big")
        reply: Reply = self._decoder.decode(await process.stdout.readexactly(length))
        return reply

    async def _start(self) -> Process:
        self._errors.clear()
        command = (sys.executable, "-m", _CHILD, str(self._cache))
        self._process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        self._drain = asyncio.create_task(self._keep_errors(self._process))
        return self._process

    async def _keep_errors(self, process: Process) -> None:
        assert process.stderr is not None
        with suppress(ValueError):  # a line longer than the stream's limit
            async for line in process.stderr:
                self._errors.append(line.decode("utf-8", "replace").strip())

    async def _stop_when_idle(self) -> None:
        await asyncio.sleep(self._idle_seconds)
        async with self._lock:
            await self._stop()

    async def _stop(self) -> None:
        process, self._process = self._process, None
        drain, self._drain = self._drain, None
        if process is None or drain is None:
            return
        _kill(process)
        await process.wait()
        await drain


def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
