"""Sends requests to one API server, over a session set up from kubernetes_asyncio's configuration."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from agent_gateway.clusters.credentials import Credentials, Loaded, authorization, encryption
from agent_gateway.errors import InvalidInput, Unavailable
from agent_gateway.interfaces import ApiRequest, ApiResponse

if TYPE_CHECKING:
    import aiohttp

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_CONNECT_SECONDS = 5.0
_CHUNK = 65_536
#: What a path may hold besides letters and digits without being encoded.
_PLAIN = "/:@!$&'()*+,;=~-._"


@dataclass(eq=False)
class _Line:
    """A session, what it was opened for, and how many requests go on over it."""

    session: aiohttp.ClientSession
    connection: tuple[Any, ...]
    users: int = 0


class KubernetesAsyncioCluster:
    """Implements `Cluster`. It connects when it is first used; close it in the end."""

    def __init__(self, name: str, credentials: Credentials) -> None:
        self._name = name
        self._credentials = credentials
        self._opening = asyncio.Lock()
        #: The last one takes new requests; what is in front of it still has some to finish.
        self._lines: list[_Line] = []

    @property
    def name(self) -> str:
        """What the gateway calls it."""
        return self._name

    async def send(self, request: ApiRequest, *, timeout: float = 10.0, limit: int = 8_000_000) -> ApiResponse:
        """Send a request and read at most `limit` bytes of the answer.

        A refused token, and certificates that do not fit, are read again, and if they have changed tried again, once.
        """
        used = await self._credentials.current()
        try:
            answer = await self._exchange(used, request, timeout, limit)
        except Unavailable as error:
            if not _may_be_about_certificates(error, used):
                raise
            renewed = await self._credentials.current(anew=True)
            # A write is sent again only if it was not sent at all: the connection was never there.
            if renewed.is_as(used) or not (_never_sent(error) or request.method == "GET"):
                raise
        else:
            if answer.status != 401:
                return answer
            renewed = await self._credentials.current(anew=True)
            if renewed.is_as(used):
                return answer
        return await self._exchange(renewed, request, timeout, limit)

    async def stream(self, request: ApiRequest, *, timeout: float) -> AsyncIterator[bytes]:
        """Send a request and yield its body as it comes, until the server ends it or the time is over.

        `Unavailable` when it cannot be sent, or is answered with an error.
        """
        try:
            async with self._request(await self._credentials.current(), request, timeout) as response:
                if response.status >= 400:
                    raise Unavailable(f"the cluster '{self._name}' answered {response.status} to a watch")
                async for chunk in response.content.iter_any():
                    yield chunk
        except Unavailable as error:
            if not isinstance(error.__cause__, TimeoutError):
                raise

    async def close(self) -> None:
        """Close the connections."""
        lines, self._lines = self._lines, []
        for each in lines:
            await each.session.close()

    async def _exchange(self, loaded: Loaded, request: ApiRequest, timeout: float, limit: int) -> ApiResponse:
        async with self._request(loaded, request, timeout) as response:
            return await _read(response, limit)

    @asynccontextmanager
    async def _request(
        self, loaded: Loaded, request: ApiRequest, timeout: float
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        import aiohttp  # noqa: PLC0415 - slow, and only for those with clusters
        from yarl import URL  # noqa: PLC0415 - comes with aiohttp

        configuration = loaded.configuration
        headers = {"Accept": request.accept, "User-Agent": "agent-gateway", **authorization(configuration)}
        if request.body:
            headers["Content-Type"] = request.content_type
        clock = aiohttp.ClientTimeout(total=timeout, sock_connect=min(_CONNECT_SECONDS, timeout))
        named: dict[str, Any] = {"proxy": configuration.proxy} if configuration.proxy else {}
        if configuration.tls_server_name:
            named["server_hostname"] = configuration.tls_server_name
        line = await self._take(loaded)
        try:
            async with line.session.request(
                request.method,
                URL(address(configuration.host, request), encoded=True),
                data=request.body or None,
                headers=headers,
                timeout=clock,
                # An API server does not redirect, and credentials go nowhere else.
                allow_redirects=False,
                **named,
            ) as response:
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as exc:
            raise self._unreachable(exc) from exc
        finally:
            line.users -= 1
            await self._retire()

    async def _take(self, loaded: Loaded) -> _Line:
        """The line for new requests; another one when address or certificates are others than before."""
        import aiohttp  # noqa: PLC0415 - slow, and only for those with clusters

        async with self._opening:
            if not self._lines or self._lines[-1].connection != loaded.connection:
                connector = aiohttp.TCPConnector(ssl=encryption(self._name, loaded.configuration), limit=32)
                session = aiohttp.ClientSession(connector=connector, trust_env=False, read_bufsize=2**18)
                self._lines.append(_Line(session, loaded.connection))
            self._lines[-1].users += 1
            line = self._lines[-1]
        await self._retire()
        return line

    async def _retire(self) -> None:
        """Close the lines that take no requests any more and have none to finish."""
        over = [each for each in self._lines[:-1] if not each.users]
        self._lines = [each for each in self._lines if each not in over]
        for each in over:
            await each.session.close()

    def _unreachable(self, why: Exception) -> Unavailable:
        import aiohttp  # noqa: PLC0415 - slow, and only for those with clusters

        reason = "it did not answer in time" if isinstance(why, TimeoutError) else type(why).__name__
        if isinstance(why, aiohttp.ClientConnectorCertificateError):
            reason = "its certificate is not the expected one"
        elif isinstance(why, aiohttp.ClientConnectorError):
            reason = f"cannot connect ({why.strerror or 'refused'})"
        return Unavailable(
            f"the cluster '{self._name}' cannot be reached: {reason}",
            code="cluster_unreachable",
            hint="`agent-gateway doctor` looks at each cluster",
        )


def _may_be_about_certificates(error: Unavailable, used: Loaded) -> bool:
    """Whether the server's certificate was not accepted, or ours: then it may also just end the connection."""
    cause = error.__cause__
    if isinstance(cause, ssl.SSLError) or (cause is not None and isinstance(cause.__cause__, ssl.SSLError)):
        return True
    return bool(used.configuration.cert_file) and not isinstance(cause, TimeoutError) and not _never_sent(error)


def _never_sent(error: Unavailable) -> bool:
    import aiohttp  # noqa: PLC0415 - slow, and only for those with clusters

    return isinstance(error.__cause__, aiohttp.ClientConnectorError)


def address(host: str, request: ApiRequest) -> str:
    """The URL of a request, encoded; `InvalidInput` for what no API server understands."""
    segments = request.path.split("/")
    if request.method not in _METHODS or segments[0] or any(each in {"", ".", ".."} for each in segments[1:]):
        raise InvalidInput(f"{request.method} {request.path[:200]!r} is no request to an API server")
    query = f"?{urlencode(request.query)}" if request.query else ""
    return f"{host.rstrip('/')}{quote(request.path, safe=_PLAIN)}{query}"


async def _read(response: aiohttp.ClientResponse, limit: int) -> ApiResponse:
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) >= limit:
            # Whatever else was to come is not read: the connection is of no more use.
            response.close()
            break
    return ApiResponse(
        status=response.status,
        body=bytes(body[:limit]),
        content_type=response.headers.get("Content-Type", ""),
        headers=dict(response.headers),
    )
