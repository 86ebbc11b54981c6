"""The way out of one request: what every response carries, and how a connection ends whose request was not read."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from agent_gateway.api.asgi import Message, Receive, Send

#: A refused body is thrown away for this long, or up to this many bytes, before the connection is closed on it.
LINGER_SECONDS = 2.0
LINGER_BYTES = 64 * 1_048_576

_CLOSE = (b"connection", b"close")


class Outgoing:
    """Adds the request id to the response, and notes its status (0 before it has begun)."""

    __slots__ = ("_closes", "_held", "_send", "_started", "request_id", "status")

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._started = time.monotonic()
        self._closes = False
        self._held = False
        self.request_id = request_id
        self.status = 0

    @property
    def milliseconds(self) -> float:
        """Since the request came in."""
        return round((time.monotonic() - self._started) * 1000, 2)

    async def send(self, message: Message) -> None:
        """Pass a message on, except for the end of a response that closes the connection."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = message.get("headers", ())
            self._closes = _CLOSE in headers
            message["headers"] = [
                *headers,
                (b"x-request-id", self.request_id.encode()),
                (b"x-content-type-options", b"nosniff"),
            ]
        elif self._closes and not message.get("more_body", False):
            self._held = True
            message["more_body"] = True
        await self._send(message)

    async def linger(self, receive: Receive) -> None:
        """End a response that closes the connection, once the caller has had the time to read it.

        A socket that is closed while its peer still sends is reset, and many clients then lose the answer that says
        why: the answer is out, so what still comes is thrown away for a moment.
        """
        if not self._held:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                await _discard(receive)
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


async def _discard(receive: Receive) -> None:
    size = 0
    while size < LINGER_BYTES:
        message = await receive()
        size += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
