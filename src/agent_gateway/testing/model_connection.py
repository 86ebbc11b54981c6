"""One client's connection to a scripted model server: plays scripts, and notices when the client leaves."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine

from agent_gateway.testing.http_exchange import LAST_CHUNK, write_chunk, write_head
from agent_gateway.testing.model_replies import ModelCall
from agent_gateway.testing.model_scripts import End, Script

FLOOD_BYTES = 100_000_000
FLOOD_PIECE_BYTES = 65_536
FLOOD_PIECE = write_chunk(b"x" * FLOOD_PIECE_BYTES)
#: Linger for no time at all: closing drops what was not sent and resets the connection.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class ModelConnection(asyncio.StreamReaderProtocol):
    """A connection and the task that talks on it. `call` is the one being answered.

    When the client goes away in the middle of an answer, the call is told so and the task is cancelled.
    """

    def __init__(
        self,
        converse: Callable[[ModelConnection], Coroutine[None, None, None]],
        connections: set[ModelConnection],
    ) -> None:
        super().__init__(asyncio.StreamReader(), self._accept)
        self._converse = converse
        self._connections = connections
        self._clock = asyncio.get_running_loop().time
        self.call: ModelCall | None = None
        self.lost = asyncio.Event()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.task = asyncio.create_task(self._converse(self))
        self._connections.add(self)

    def eof_received(self) -> bool:
        """The client has said its last word: it wants no more of an answer either."""
        super().eof_received()
        self._notice_leaving()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        super().connection_lost(exc)
        self._connections.discard(self)
        self.lost.set()
        self._notice_leaving()

    def _notice_leaving(self) -> None:
        if self.call is not None:
            self.call.disconnected_at = self._clock()
            self.call = None
            self.task.cancel()

    def begin(self, call: ModelCall) -> bool:
        """Start to answer a call; False when the client is gone already."""
        if self.reader.at_eof():
            call.disconnected_at = self._clock()
            return False
        self.call = call
        return True

    async def stay_silent(self) -> None:
        """Say nothing until the client leaves or the server stops; either cancels this."""
        await asyncio.Event().wait()

    async def play(self, script: Script, pause: float = 0.0) -> None:
        """Send a script, with `pause` seconds between its steps. Late steps are made up for."""
        headers = [("content-type", script.content_type), *script.headers]
        body = "transfer-encoding", "chunked"
        if script.length is not None:
            body = "content-length", str(script.length)
        headers += [body, *([("connection", "close")] if script.closes else [])]
        self.writer.write(write_head(script.status, headers))
        due = self._clock()
        for number, step in enumerate(_framed(script)):
            if number:
                due += pause
                await asyncio.sleep(due - self._clock())
                await self.writer.drain()
            self.writer.write(step)
        await self._end(script.end)

    async def _end(self, end: End) -> None:
        """Do what comes after the last byte. Nothing is awaited at a clean end: the client has the whole answer."""
        if end is End.SILENCE:
            await self.stay_silent()
        elif end is End.RESET:
            # What was sent may be on its way yet.
            await self.writer.drain()
            self.call = None
            self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            self.writer.transport.abort()
        elif end is End.FLOOD:
            for _ in range(FLOOD_BYTES // FLOOD_PIECE_BYTES + 1):
                self.writer.write(FLOOD_PIECE)
                await self.writer.drain()
                await asyncio.sleep(0)
            self.writer.write(LAST_CHUNK)
        self.call = None

    def close(self) -> None:
        """Close the connection once everything is sent."""
        self.call = None
        self.writer.close()

    async def cut(self) -> None:
        """Break the connection off, whatever is being said, and wait until it is gone."""
        self.call = None
        self.task.cancel()
        self.writer.transport.abort()
        await asyncio.wait([self.task])
        await self.lost.wait()


def _framed(script: Script) -> list[bytes]:
    """The steps as they are sent; the last chunk goes with what comes before it."""
    if script.length is not None:
        return list(script.steps)
    steps = [write_chunk(step) for step in script.steps]
    if script.end is End.CLEAN:
        steps[-1:] = [b"".join(steps[-1:]) + LAST_CHUNK]
    return steps
