"""Connections to one server, kept for the next request while they are young."""

from __future__ import annotations

import asyncio
import ssl

import msgspec

from agent_gateway.models.http_connection import ConnectionCut, HttpConnection

#: How long an idle connection is kept, in seconds; what lies between may have forgotten it by then.
IDLE_SECONDS = 30.0


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server is; `secure` for TLS."""

    host: str
    port: int
    secure: bool


class ConnectionPool:
    """At most `idle` connections are kept, and none is shared. `connect_seconds` includes the TLS handshake.

    Proxies are never used, whatever the environment says: models are near.
    """

    def __init__(self, origin: Origin, *, connect_seconds: float, idle: int) -> None:
        self._origin = origin
        self._connect_seconds = connect_seconds
        self._most = idle
        self._idle: list[HttpConnection] = []
        self._busy: set[HttpConnection] = set()
        self._tls = ssl.create_default_context() if origin.secure else None
        self._closed = False

    async def ask(self, request: bytes) -> HttpConnection:
        """Send a request; the headers of its answer are there when this returns. `OSError`, `BrokenAnswer`.

        A kept connection that turns out to be dead before it says anything is replaced once.
        """
        kept = self._take_kept()
        if kept is not None:
            try:
                return await self._send(kept, request)
            except ConnectionCut as cut:
                if not cut.silent:
                    raise
        return await self._send(await self._connect(), request)

    def keep(self, connection: HttpConnection) -> None:
        """Take back a connection whose answer was read to its end, for another request or to let it go."""
        connection.release(self._lay_aside)

    def drop(self, connection: HttpConnection) -> None:
        """Close a connection in the middle of its answer, so that the server notices."""
        self._busy.discard(connection)
        connection.abort()

    def close(self) -> None:
        """Close all connections; whoever reads from one sees it cut."""
        self._closed = True
        for connection in (*self._idle, *self._busy):
            connection.abort()
        self._idle.clear()
        self._busy.clear()

    async def _send(self, connection: HttpConnection, request: bytes) -> HttpConnection:
        self._busy.add(connection)
        try:
            await connection.send(request)
        except BaseException:
            self.drop(connection)
            raise
        return connection

    def _lay_aside(self, connection: HttpConnection) -> None:
        self._busy.discard(connection)
        if self._closed or not connection.reusable or len(self._idle) >= self._most:
            connection.abort()
            return
        connection.kept_since = asyncio.get_running_loop().time()
        self._idle.append(connection)

    def _take_kept(self) -> HttpConnection | None:
        """The connection that was used last, unless it is gone or too old; then so are the others."""
        oldest = asyncio.get_running_loop().time() - IDLE_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable and connection.kept_since > oldest:
                return connection
            connection.abort()
        return None

    async def _connect(self) -> HttpConnection:
        if self._closed:
            raise ConnectionCut("it was closed")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, connection = await loop.create_connection(
                    lambda: HttpConnection(loop), self._origin.host, self._origin.port, ssl=self._tls
                )
        except TimeoutError as error:
            raise TimeoutError(f"no connection within {self._connect_seconds:g} s") from error
        return connection
