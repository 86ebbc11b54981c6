"""One HTTP/1.1 connection that is kept alive and costs next to nothing, so that a measurement is the server's."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

import msgspec

from agent_gateway.messages import Answer

_ANSWER = msgspec.json.Decoder(Answer)


class Connection:
    """Requests one after the other to a port on loopback; an asynchronous context manager."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    async def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of a GET."""
        self._writer.write(b"GET %s HTTP/1.1\r\nhost: bench\r\n\r\n" % path.encode())
        return await self._receive()

    async def post(self, path: str, body: object) -> tuple[int, bytes]:
        """Status and body of a POST of JSON."""
        data = msgspec.json.encode(body)
        head = b"POST %s HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        self._writer.write(head % (path.encode(), len(data)) + data)
        return await self._receive()

    async def ask(self, message: str, conversation_id: str | None = None) -> Answer:
        """One turn; `RuntimeError` unless it is completed."""
        body = (
            {"message": message}
            if conversation_id is None
            else {"message": message, "conversation_id": conversation_id}
        )
        status, data = await self.post("/v1/chat", body)
        if status != 200:
            raise RuntimeError(f"status {status}: {data.decode()}")
        answer = _ANSWER.decode(data)
        if answer.status != "completed":
            raise RuntimeError(f"the turn is {answer.status}: {answer.error}")
        return answer

    async def _receive(self) -> tuple[int, bytes]:
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        fields = dict(line.split(b": ", 1) for line in lines[1:] if line)
        if b"content-length" in fields:
            body = await self._reader.readexactly(int(fields[b"content-length"]))
        else:
            body = await self._read_chunks()
        return int(lines[0].split()[1]), body

    async def _read_chunks(self) -> bytes:
        parts: list[bytes] = []
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            parts.append((await self._reader.readexactly(size + 2))[:-2])
        await self._reader.readexactly(2)
        return b"".join(parts)
