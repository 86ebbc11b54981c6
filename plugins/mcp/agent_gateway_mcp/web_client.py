"""The HTTP client of a server: with its credentials, within a size, and never elsewhere than configured."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2

import agent_gateway as ag

from .settings import ServerSettings


@dataclass
class Noted:
    """What the SDK keeps to itself: the last failing status, whether anything answered, or said too much."""

    answered: bool = False
    status: int = 0
    too_large: bool = False


def make_web_client(server: ServerSettings, noted: Noted) -> httpx2.AsyncClient:
    """A client for a server with a url; `noted` is kept up to date. `Unavailable` when credentials are missing."""
    transport = httpx2.AsyncHTTPTransport(verify=_trust(server), trust_env=False)
    return httpx2.AsyncClient(
        # An answer that unpacks to much more than came in would not be limited: it must come as it is.
        headers={"accept-encoding": "identity", **server.headers()},
        transport=_Bounded(transport, server.response_bytes, noted),
        trust_env=False,
        follow_redirects=False,
        timeout=server.timeout_seconds,
    )


def _trust(server: ServerSettings) -> ssl.SSLContext:
    if server.url.startswith("http://"):
        # Reading the system's certificates takes longer than the request.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return ssl.create_default_context(cafile=server.ca_file)
    except (OSError, ssl.SSLError):
        raise ag.Unavailable(f"no certificates can be read from {server.ca_file}", code="mcp_credentials") from None


class _Bounded(httpx2.AsyncBaseTransport):
    """Ends answers to a request that are larger than allowed; streams that only listen may go on."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, limit: int, noted: Noted) -> None:
        self._inner = inner
        self._limit = limit
        self._noted = noted

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass a request on, and its answer back as far as it is allowed."""
        response = await self._inner.handle_async_request(request)
        self._noted.answered = True
        self._noted.status = response.status_code if response.status_code >= 400 else 0
        packed = response.headers.get("content-encoding", "identity") != "identity"
        if request.method == "POST" and isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _BoundedStream(response.stream, 0 if packed else self._limit, self._noted)
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, limit: int, noted: Noted) -> None:
        self._inner = inner
        self._limit = limit
        self._noted = noted

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._inner:
            size += len(piece)
            if size > self._limit:
                self._noted.too_large = True
                raise httpx2.StreamError("the answer is larger than allowed, or packed")
            yield piece

    async def aclose(self) -> None:
        """Close the answer."""
        await self._inner.aclose()
