"""One HTTP/1.1 connection to a model's server: a request at a time, the body of its answer read as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

#: A peer that sends more than this unread is made to wait.
HIGH_WATER_BYTES = 262_144
#: More than this in the headers of an answer is none.
HEADER_BYTES = 65_536
#: How long the end of an HTTP body may take after the end of the answer in it, in seconds.
DRAIN_SECONDS = 1.0


class ConnectionCut(ConnectionError):
    """The connection ended before the answer; `silent` when nothing of an answer had come."""

    def __init__(self, why: str, *, silent: bool = False) -> None:
        super().__init__(why)
        self.silent = silent


class BrokenAnswer(ValueError):
    """The answer is no HTTP."""


class HttpConnection(asyncio.Protocol):
    """A connection. `status` and `headers` (lower case) are the current answer's, after `send` has returned.

    `kept_since` is the loop's time at which it was laid aside. Not for several requests at once.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[None] | None = None
        self._body: list[bytes] = []
        self._held = 0
        self._paused = False
        self._heard = False
        self._started = False
        self._error: BaseException | None = None
        self._head_bytes = 0
        self._keep: Callable[[HttpConnection], None] | None = None
        self._drain: asyncio.TimerHandle | None = None
        self.transport: asyncio.Transport | None = None
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.complete = True
        self.reusable = False
        self.lost = False
        self.kept_since = 0.0

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes came; without a request they are none of an answer."""
        if self.complete:
            self.abort()
            return
        self._heard = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._error = self._error or BrokenAnswer(f"no HTTP: {error}")
            self.abort()
        if not self._started:
            self._head_bytes += len(data)
            if self._head_bytes > HEADER_BYTES:
                self._error = self._error or BrokenAnswer("headers without an end")
                self.abort()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone. A body without a length ends so, too; whether it was whole, its reader knows."""
        self.lost = True
        self.reusable = False
        self._stop_draining()
        if self._error is None and exc is not None:
            self._error = ConnectionCut(str(exc) or type(exc).__name__)
        self._wake()
        self._hand_back()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """An answer begins; one that nobody asked for must never be taken for the next request's."""
        if self.complete:
            self.abort()
        self.headers = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header came."""
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """The headers are whole."""
        self.status = self._parser.get_status_code()
        # What comes before the answer proper (100, 103) has no body.
        self._started = self.status >= 200

    def on_body(self, body: bytes) -> None:
        """A piece of the body came."""
        if self.complete:
            return
        self._body.append(body)
        self._held += len(body)
        if self._held > HIGH_WATER_BYTES and not self._paused and self.transport is not None:
            self._paused = True
            self.transport.pause_reading()

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self._started:
            self.complete = True
            self.reusable = self._parser.should_keep_alive() and not self.lost
            self._stop_draining()
            self._hand_back()

    # What its user calls.

    async def send(self, request: bytes) -> None:
        """Send a whole request and wait for the headers of its answer; `ConnectionCut`, `BrokenAnswer`."""
        if self.transport is None or self.lost or self.transport.is_closing():
            raise ConnectionCut("the connection was closed", silent=True)
        self._heard = self._started = self.complete = self.reusable = False
        self._error = None
        self._head_bytes = 0
        self._take()
        self.transport.write(request)
        while not self._started:
            if self._error is not None or self.lost:
                raise self._failure("closed the connection before it answered")
            self._waiter = self._loop.create_future()
            await self._waiter

    async def read(self) -> bytes:
        """The next bytes of the body, empty after the last; `ConnectionCut`, `BrokenAnswer`."""
        while not self._body:
            if self._error is not None:
                raise self._failure("closed the connection")
            if self.complete or self.lost:
                return b""
            self._waiter = self._loop.create_future()
            await self._waiter
        return self._take()

    def release(self, keep: Callable[[HttpConnection], None]) -> None:
        """Read the rest of the body, which should be empty, in the background; then `keep` the connection.

        It is kept for sure, lost as it may be by then.
        """
        if self.complete or self.lost:
            keep(self)
        else:
            self._keep = keep
            self._drain = self._loop.call_later(DRAIN_SECONDS, self.abort)

    def abort(self) -> None:
        """Close the connection at once."""
        self.reusable = False
        if self.transport is not None:
            self.transport.abort()

    def _take(self) -> bytes:
        """What has come of the body, which makes room for more."""
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body.clear()
        self._held = 0
        if self._paused and self.transport is not None:
            self._paused = False
            self.transport.resume_reading()
        return body

    def _hand_back(self) -> None:
        if self._keep is not None:
            keep, self._keep = self._keep, None
            keep(self)

    def _stop_draining(self) -> None:
        if self._drain is not None:
            self._drain.cancel()
            self._drain = None

    def _failure(self, otherwise: str) -> Exception:
        error = self._error
        if isinstance(error, BrokenAnswer):
            return error
        return ConnectionCut(str(error) if error is not None else otherwise, silent=not self._heard)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
