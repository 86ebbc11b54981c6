"""Answers as plain ASGI callables: encoded once with msgspec, sent as they are, without a framework in between."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import msgspec

from agent_gateway.api.asgi import Headers, Receive, Scope, Send

JSON = b"application/json"
_ENCODER = msgspec.json.Encoder()


class Sendable(ABC):
    """Something an endpoint may return: it writes itself to the connection."""

    @abstractmethod
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the whole response."""


class Reply(Sendable):
    """A whole response whose bytes are known."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, body: bytes, *, status: int = 200, media_type: bytes = JSON, headers: Headers = ()) -> None:
        self.body = body
        self.status = status
        length = b"%d" % len(body)
        self.headers = ((b"content-type", media_type), (b"content-length", length), *headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the whole response."""
        del receive
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else self.body})


def reply(value: Any, status: int = 200, headers: Headers = ()) -> Reply:
    """Make a JSON response of anything msgspec encodes."""
    return Reply(_ENCODER.encode(value), status=status, headers=headers)
