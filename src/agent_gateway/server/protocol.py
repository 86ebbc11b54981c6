"""HTTP/1.1 as uvicorn speaks it, with the two limits it lacks: how long and how big a request's head may be."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from agent_gateway.api.outgoing import LINGER_BYTES, LINGER_SECONDS
from agent_gateway.api.problems import ProblemDocument


@dataclass(frozen=True)
class ConnectionLimits:
    """`header_seconds`: from a connection, or the first byte of a request, to the end of its headers.

    `header_bytes`: request line and headers while they are still incomplete.
    """

    header_seconds: float = 10.0
    header_bytes: int = 65_536


class GuardedProtocol(HttpToolsProtocol):
    """One connection. `limits` is set by the subclass that `guarded` makes."""

    limits = ConnectionLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._in_head = False
        self._discarded: int | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Start the clock of the first head."""
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless what is there is too much to become a head."""
        if self._discarded is not None:
            self._discard(data)
            return
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self.limits.header_bytes:
                self._refuse(431, "headers_too_large", "The headers are too long.")
        elif (
            self._discarded is None
            and self._head_timer is None
            and self.timeout_keep_alive_task is None
            and self._idle()
        ):
            # Empty lines between two requests end uvicorn's keep-alive clock without beginning a request.
            self._start_clock()

    def on_message_begin(self) -> None:
        """Start the clock of a further head."""
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0
        if self._head_timer is None:
            self._start_clock()

    def on_headers_complete(self) -> None:
        """Stop the clock: from here on the body has its own."""
        self._in_head = False
        self._stop_clock()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP with a problem too."""
        self._refuse(400, "invalid_http", msg)

    def _forgotten(self) -> bool:
        ending = self._discarded is not None
        return not ending and self._head_timer is None and self.timeout_keep_alive_task is None and self._idle()

    def _idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _start_clock(self) -> None:
        self._head_timer = self.loop.call_later(self.limits.header_seconds, self._expire)

    def _stop_clock(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _expire(self) -> None:
        self._head_timer = None
        if self._in_head and self._idle():
            self._refuse(408, "request_timeout", "The headers did not arrive in time.")
        elif self._idle():
            self.transport.close()  # nothing was asked, so nothing is answered

    def _refuse(self, status: int, code: str, detail: str) -> None:
        """Answer and hang up; in the middle of another answer, only hang up."""
        self._stop_clock()
        if self._discarded is not None or self.transport.is_closing():
            return  # it is ending already
        self._discarded = 0
        if not self._take_back():
            self.transport.close()
            return
        phrase = HTTPStatus(status).phrase
        document = ProblemDocument(
            type="about:blank", title=phrase, status=status, detail=detail, code=code, request_id=""
        )
        body = msgspec.json.encode(document)
        self.transport.write(
            b"HTTP/1.1 %d %s\r\ncontent-type: application/problem+json\r\ncontent-length: %d\r\n"
            b"connection: close\r\n\r\n%s" % (status, phrase.encode(), len(body), body)
        )
        # Closed while its peer still sends, a socket is reset, and the peer may lose the answer: first say that
        # nothing more comes, then throw away what still does.
        self.transport.write_eof()
        self._head_timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _take_back(self) -> bool:
        """Whether the connection is free for an answer; a request whose own answer has not begun is called off."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return True
        if cycle.response_started or self.pipeline:
            return False
        cycle.disconnected = True
        cycle.message_event.set()
        return True

    def _discard(self, data: bytes) -> None:
        self._discarded = (self._discarded or 0) + len(data)
        if self._discarded > LINGER_BYTES:
            self.transport.close()


def guarded(limits: ConnectionLimits) -> type[GuardedProtocol]:
    """Make the protocol class of a server with these limits."""
    return type("LimitedProtocol", (GuardedProtocol,), {"limits": limits})
