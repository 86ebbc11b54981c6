"""Events on their way into the database: encoded once, joined while they wait."""

from __future__ import annotations

import time

import msgspec

from agent_gateway.errors import GatewayError
from agent_gateway.events import Event, EventData, Token, event_type

_ENCODER = msgspec.json.Encoder()


class Draft:
    """An event that waits for its commit. A token keeps the pieces of its text, so that it can still grow."""

    __slots__ = ("at", "parts", "seq", "type")

    def __init__(self, seq: int, kind: str, part: bytes) -> None:
        self.seq, self.type, self.parts, self.at = seq, kind, [part], microseconds()

    def seal(self) -> Event:
        """The event as it is stored and sent from now on."""
        data = b"".join(self.parts)
        return Event(self.seq, self.type, b'{"text":"' + data + b'"}' if self.type == "token" else data)


def microseconds() -> int:
    """The time of an event, since 1970, UTC."""
    return time.time_ns() // 1_000


def encode(data: EventData) -> bytes:
    """One JSON object, or for a token its text without the quotes.

    `GatewayError` (code `invalid_event`) for what JSON or UTF-8 cannot hold.
    """
    try:
        return _ENCODER.encode(data.text)[1:-1] if isinstance(data, Token) else _ENCODER.encode(data)
    except (TypeError, UnicodeEncodeError) as error:
        raise GatewayError(f"a {event_type(data)!r} event cannot be encoded: {error}", code="invalid_event") from error
