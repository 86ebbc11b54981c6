"""A server that answers each request with bytes that were written beforehand, HTTP or not."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

#: Says: close the connection instead of answering.
CLOSE = b""


class RawServer:
    """`answers` are given one after the other, the last again and again. `requests` and `connections` are counted."""

    def __init__(self, answers: Sequence[bytes], *, close: bool = False) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.connections = 0
        self.close = close
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests on one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError), contextlib.closing(writer):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length")
                )
                self.requests.append(head + await reader.readexactly(length))
                answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
                writer.write(answer)
                await writer.drain()
                if self.close or answer is CLOSE:
                    break

    async def end(self) -> None:
        """Wait until all connections are closed, as clients close them."""
        await asyncio.wait_for(asyncio.gather(*self._tasks), 2)


@asynccontextmanager
async def raw_server(
    *answers: bytes, close: bool = False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawServer]:
    """Serve on loopback; `close`: one answer for each connection, which then ends."""
    told = RawServer(answers, close=close)
    server = await asyncio.start_server(told.converse, "127.0.0.1", 0, ssl=tls)
    told.port = server.sockets[0].getsockname()[1]
    try:
        yield told
        await told.end()
    finally:
        server.close()


def events(*data: str, done: bool = True) -> bytes:
    """A stream of events."""
    lines = [f"data: {each}\n\n" for each in data] + (["data: [DONE]\n\n"] if done else [])
    return "".join(lines).encode()


def answered(body: bytes, *headers: str, status: str = "200 OK", length: bool = True) -> bytes:
    """A whole answer with a body of known length, or one that the end of the connection ends."""
    told = ["content-type: text/event-stream", *headers, *([f"content-length: {len(body)}"] if length else [])]
    return "\r\n".join([f"HTTP/1.1 {status}", *told, "", ""]).encode() + body


def piece(text: str) -> str:
    """A chunk with text."""
    return f'{{"choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":null}}]}}'


END = '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'
GOOD = answered(events(piece("Yes."), END))
