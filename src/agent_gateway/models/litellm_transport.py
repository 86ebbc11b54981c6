"""What LiteLLM sends and gets, on the wire: errors told apart, and answers looked at, before LiteLLM sees them.

LiteLLM skips lines it cannot read, ends an answer at any text with `[DONE]` in it and makes up an end where there is
none. Here such answers fail, and with what the server really said.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Protocol, cast

import httpx
import msgspec

from agent_gateway.completion import ModelSpec
from agent_gateway.errors import ModelFailed
from agent_gateway.models.failures import ERROR_BYTES, malformed, refused, reported, stream_cut, unreachable
from agent_gateway.models.http_connection import DRAIN_SECONDS
from agent_gateway.models.ollama_wire import LineReader
from agent_gateway.models.openai_wire import ChunkReader
from agent_gateway.models.sse_lines import LineSplitter, LineTooLong

#: Servers close idle connections after five seconds or more; a request must not cross such a closing.
IDLE_SECONDS = 4.0
#: How a connection shows that its server has closed it.
_DEAD = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
#: What LiteLLM takes for the end of a line or of the answer, in text where it is neither; written another way.
_ESCAPES = (
    (b"[DONE]", rb"[\u0044ONE]"),
    (b"\xe2\x80\xa8", rb"\u2028"),
    (b"\xe2\x80\xa9", rb"\u2029"),
    (b"\xc2\x85", rb"\u0085"),
)


class AnswerReader(Protocol):
    """Reads an answer line by line and raises `ModelFailed` where it is none; `done` after the last line."""

    @property
    def done(self) -> bool:
        """Whether the answer is complete."""
        ...

    def read(self, line: bytes) -> object:
        """Read a line."""
        ...

    def end(self, tail: bytes) -> object:
        """Read what has no line feed, and the end."""
        ...


class ModelTransport(httpx.AsyncBaseTransport):
    """Talks to one model's server. No proxies and no redirects; only connecting is limited in time."""

    def __init__(self, spec: ModelSpec, *, ollama: bool) -> None:
        self._spec = spec
        self._ollama = ollama
        # Without TLS the authorities need not be read.
        secure = not spec.address.startswith("http:")
        self._inner = httpx.AsyncHTTPTransport(
            verify=ssl.create_default_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            trust_env=False,
            limits=httpx.Limits(
                max_connections=None, max_keepalive_connections=spec.concurrency, keepalive_expiry=IDLE_SECONDS
            ),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; `ModelFailed` when there is no answer, or it is no stream."""
        # LiteLLM replaces the time limits of some providers by its own.
        request.extensions["timeout"] = {
            "connect": self._spec.timeouts.connect, "read": None, "write": None, "pool": None,
        }  # fmt: skip
        request.headers["accept-encoding"] = "identity"
        response = await self._send(request)
        try:
            await self._check(response)
        except BaseException:
            await response.aclose()
            raise
        reader: AnswerReader = LineReader(self._spec) if self._ollama else ChunkReader(self._spec)
        response.stream = CheckedStream(self._spec, cast("httpx.AsyncByteStream", response.stream), reader)
        return response

    async def aclose(self) -> None:
        """Nothing: LiteLLM's clients come and go, and close their transport at any time."""

    async def close_connections(self) -> None:
        """Close all connections; what still streams is cut."""
        await self._inner.aclose()

    async def _send(self, request: httpx.Request) -> httpx.Response:
        """Send a request, again when a kept connection turns out to be dead before it says anything.

        All that are kept may be dead, and no more than that.
        """
        for left in range(self._spec.concurrency, -1, -1):
            connects: list[str] = []
            request.extensions["trace"] = _Trace(connects)
            try:
                return await self._inner.handle_async_request(request)
            except httpx.ConnectTimeout as error:
                limit = self._spec.timeouts.connect
                raise unreachable(self._spec, TimeoutError(f"no connection within {limit:g} s")) from error
            except _DEAD as error:
                if connects or not left:
                    raise unreachable(self._spec, error) from error
            except httpx.TransportError as error:
                raise unreachable(self._spec, error) from error
        raise AssertionError("the last try returns or raises")

    async def _check(self, response: httpx.Response) -> None:
        kind = response.headers.get("content-type", "").lower()
        expected = ("application/x-ndjson", "application/json") if self._ollama else ("text/event-stream",)
        if response.status_code != 200:
            body = await self._error_body(response)
            raise refused(self._spec, response.status_code, body, response.headers.get("retry-after", ""))
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise malformed(self._spec, "it is compressed, which was not asked for")
        if kind.startswith("application/json") and not self._ollama:
            raise self._document(await self._error_body(response))
        if not kind.startswith(expected):
            raise malformed(self._spec, f"its type is '{kind}', not a stream of events")

    def _document(self, body: bytes) -> ModelFailed:
        """What is wrong with an answer in one piece."""
        try:
            document: Any = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return malformed(self._spec, str(error))
        if isinstance(document, dict) and document.get("error"):
            return reported(self._spec, document["error"])
        return malformed(self._spec, "it came in one piece, not as a stream")

    async def _error_body(self, response: httpx.Response) -> bytes:
        """The first 64 KiB of a body; what cannot be read of it is not missed."""
        body = b""
        with contextlib.suppress(httpx.TransportError):
            async for data in cast("httpx.AsyncByteStream", response.stream):
                body += data
                if len(body) >= ERROR_BYTES:
                    break
        return body[:ERROR_BYTES]


class _Trace:
    """Notes that a request needed a new connection; called with each step of a request."""

    def __init__(self, connects: list[str]) -> None:
        self._connects = connects

    async def __call__(self, step: str, about: dict[str, Any]) -> None:
        if step.startswith("connection.connect_"):
            self._connects.append(step)


class CheckedStream(httpx.AsyncByteStream):
    """The body of an answer as LiteLLM may have it: whole lines that were read here first."""

    def __init__(self, spec: ModelSpec, inner: httpx.AsyncByteStream, reader: AnswerReader) -> None:
        self._spec = spec
        self._inner = inner
        self._reader = reader

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """The lines, several at a time; `ModelFailed` where they are no answer."""
        lines = LineSplitter()
        body = aiter(self._inner)
        while (data := await self._next(body)) is not None:
            if passed := self._pass(lines, data):
                yield passed
            if self._reader.done:
                await self._drain(body)
                return
        self._reader.end(lines.tail)
        if lines.tail:
            yield escape(lines.tail) + b"\n"

    async def aclose(self) -> None:
        """Close the connection, unless the whole body was read."""
        await self._inner.aclose()

    async def _next(self, body: AsyncIterator[bytes]) -> bytes | None:
        try:
            return await anext(body, None)
        except httpx.TransportError as error:
            raise stream_cut(self._spec, str(error) or "the connection was closed") from error

    def _pass(self, lines: LineSplitter, data: bytes) -> bytes:
        try:
            split = lines.feed(data)
        except LineTooLong as error:
            raise malformed(self._spec, str(error)) from error
        passed = []
        for line in split:
            if self._reader.done:
                break
            self._reader.read(line)
            if not line.rstrip().endswith(b"[DONE]"):
                passed.append(escape(line) + b"\n")
        return b"".join(passed)

    async def _drain(self, body: AsyncIterator[bytes]) -> None:
        """Read to the end of the body, which is near, so that the connection can be used again."""
        with contextlib.suppress(TimeoutError, ModelFailed):
            async with asyncio.timeout(DRAIN_SECONDS):
                while await self._next(body) is not None:
                    pass


def escape(line: bytes) -> bytes:
    """Write JSON another way where LiteLLM would misread it."""
    if b"[DONE]" in line or not line.isascii():
        for plain, escaped in _ESCAPES:
            line = line.replace(plain, escaped)
    return line
