"""Sends requests to one API server, over a session set up from kubernetes_asyncio's configuration."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from agent_gateway.clusters.credentials import Credentials, authorization, encryption
from agent_gateway.errors import InvalidInput, Unavailable
from agent_gateway.interfaces import ApiRequest, ApiResponse

if TYPE_CHECKING:
    import aiohttp

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_CONNECT_SECONDS = 5.0
_CHUNK = 65_536
#: What a path may hold besides letters and digits without being encoded.
_PLAIN = "/:@!$&'()*+,;=~-._"


class KubernetesAsyncioCluster:
    """Implements `Cluster`. It connects when it is first used; close it in the end."""

    def __init__(self, name: str, credentials: Credentials) -> None:
        self._name = name
        self._credentials = credentials
        self._opening = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None
        self._session_of: Any = None

    @property
    def name(self) -> str:
        """What the gateway calls it."""
        return self._name

    async def send(self, request: ApiRequest, *, timeout: float = 10.0, limit: int = 8_000_000) -> ApiResponse:
        """Send a request and read at most `limit` bytes of the answer; a refused token is read again, once."""
        async with self._request(request, timeout) as response:
            if response.status != 401:
                return await _read(response, limit)
            refused = await _read(response, limit)
        sent = response.request_info.headers.get("Authorization")
        if authorization(await self._credentials.current(anew=True)).get("Authorization") == sent:
            return refused
        async with self._request(request, timeout) as response:
            return await _read(response, limit)

    async def stream(self, request: ApiRequest, *, timeout: float) -> AsyncIterator[bytes]:
        """Send a request and yield its body as it comes, until the server ends it or the time is over.

        `Unavailable` when it cannot be sent, or is answered with an error.
        """
        try:
            async with self._request(request, timeout) as response:
                if response.status >= 400:
                    raise Unavailable(f"the cluster '{self._name}' answered {response.status} to a watch")
                async for chunk in response.content.iter_any():
                    yield chunk
        except Unavailable as error:
            if not isinstance(error.__cause__, TimeoutError):
                raise

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @asynccontextmanager
    async def _request(self, request: ApiRequest, timeout: float) -> AsyncIterator[aiohttp.ClientResponse]:
        import aiohttp  # noqa: PLC0415 - slow, and only for those with clusters
        from yarl import URL  # noqa: PLC0415 - comes with aiohttp

        configuration = await self._credentials.current()
        session = await self._open(configuration)
        headers = {"Accept": request.accept, "User-Agent": "agent-gateway", **authorization(configuration)}
        if request.body:
            headers["Content-Type"] = request.content_type
        clock = aiohttp.ClientTimeout(total=timeout, sock_connect=min(_CONNECT_SECONDS, timeout))
        named: dict[str, Any] = {"proxy": configuration.proxy} if configuration.proxy else {}
        if configuration.tls_server_name:
            named["server_hostname"] = configuration.tls_server_name
        try:
            async with session.request(
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

    async def _open(self, configuration: Any) -> aiohttp.ClientSession:
        """The session; a new one when address or certificates are others than before."""
        import aiohttp  # noqa: PLC0415 - slow, and only for those with clusters

        async with self._opening:
            wanted = (
                configuration.host, configuration.ssl_ca_cert, configuration.cert_file, configuration.key_file,
                configuration.verify_ssl,
            )  # fmt: skip
            if self._session is None or self._session_of != wanted:
                await self.close()
                connector = aiohttp.TCPConnector(ssl=encryption(self._name, configuration), limit=32)
                self._session = aiohttp.ClientSession(connector=connector, trust_env=False, read_bufsize=2**18)
                self._session_of = wanted
            return self._session

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
