"""The three ASGI types, and the two things the edge asks a request's headers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]


def header(scope: Any, name: bytes) -> bytes | None:
    """Find the first header of that (lower-case) name."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return None


def accepts(scope: Any, media_type: bytes) -> bool:
    """Whether any `Accept` header names a media type."""
    return any(key == b"accept" and media_type in value.lower() for key, value in scope["headers"])


async def wait_for_leaving(receive: Receive) -> None:
    """Return when the caller has gone away; the request's body must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass
