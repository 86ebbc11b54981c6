"""As much of HTTP/1.1 as a scripted server needs: reading requests, writing heads and chunks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

#: Ends a body that is sent in chunks.
LAST_CHUNK = b"0\r\n\r\n"


class BadRequest(Exception):
    """What came is no request that can be answered; `status` says why, and the connection ends."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True)
class RequestHead:
    """The first line and the headers, names in lower case."""

    method: str
    path: str
    headers: dict[str, str]

    @property
    def closes(self) -> bool:
        """Whether the client wants the connection closed after the answer."""
        return "close" in self.headers.get("connection", "").lower()


async def read_head(reader: asyncio.StreamReader) -> RequestHead | None:
    """Read up to the empty line; None when the client has nothing more to ask. `BadRequest` if it is not HTTP/1.1."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequest(431, "the headers are too long") from error
    first, *lines = raw[:-4].decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    target, _, version = rest.rpartition(" ")
    if version != "HTTP/1.1":
        raise BadRequest(505 if version.startswith("HTTP/") else 400, "this server speaks HTTP/1.1")
    named = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in named}
    return RequestHead(method, target.partition("?")[0], headers)


async def read_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: RequestHead) -> bytes:
    """Read the body that a head announces; `BadRequest` or `asyncio.IncompleteReadError` when it is cut."""
    if head.headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if "chunked" in head.headers.get("transfer-encoding", "").lower():
        return await _read_chunks(reader)
    length = head.headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit():
        raise BadRequest(400, "Content-Length is not a number")
    return await reader.readexactly(int(length))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    """Read chunks up to the last, and the trailer after it."""
    body = bytearray()
    while size := _chunk_size(await reader.readuntil(b"\r\n")):
        body += (await reader.readexactly(size + 2))[:-2]
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
    return bytes(body)


def _chunk_size(line: bytes) -> int:
    """The size that stands at the head of a chunk, in bytes."""
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError as error:
        raise BadRequest(400, "the size of a chunk is not a number") from error


def write_head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """The head of an answer."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def write_chunk(data: bytes) -> bytes:
    """A chunk; not of nothing, which would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)
