"""A model whose server speaks OpenAI's protocol, talked to without LiteLLM: little work for each token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote, urlsplit

import msgspec

from agent_gateway.completion import CompletionChunk, CompletionRequest, ModelSpec
from agent_gateway.errors import ModelFailed
from agent_gateway.models.failures import ERROR_BYTES, malformed, refused, reported, stream_cut, unreachable
from agent_gateway.models.http_connection import BrokenAnswer, ConnectionCut, HttpConnection
from agent_gateway.models.http_pool import ConnectionPool, Origin
from agent_gateway.models.keys import read_key
from agent_gateway.models.openai_wire import ChunkReader, write_request
from agent_gateway.models.sse_lines import LineSplitter, LineTooLong

_EVENTS = b"text/event-stream"
_JSON = b"application/json"
#: What a path may hold as it is.
_PATH = "/%:@!$&'()*+,;=~"


class DirectChatModel:
    """Implements `ChatModel` over OpenAI's chat completions, as vLLM, Ollama, llama.cpp and others serve them.

    Closing an answer's iterator closes the connection at once, so that the server stops to compute.
    """

    #: Cancelled, it waits for nothing any more.
    ends_at_once = True

    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        parts = urlsplit(spec.address)
        if parts.scheme not in {"http", "https"} or not parts.hostname or not spec.address.isprintable():
            raise ValueError(f"'{spec.address}' is no address of a server")
        # As the resolver writes it, who takes nothing else; `UnicodeError`, a `ValueError`, when it cannot be.
        host = parts.hostname.encode("idna").decode()
        secure = parts.scheme == "https"
        path = f"{quote(parts.path.rstrip('/'), safe=_PATH) or '/v1'}/chat/completions"
        origin = Origin(host=host, port=parts.port or (443 if secure else 80), secure=secure)
        self._pool = ConnectionPool(origin, connect_seconds=spec.timeouts.connect, idle=spec.concurrency)
        self._head = (
            f"POST {path} HTTP/1.1\r\nhost: {_authority(host, parts.port)}\r\nuser-agent: agent-gateway\r\n"
            "accept: text/event-stream\r\naccept-encoding: identity\r\ncontent-type: application/json\r\n"
        )

    async def stream(self, request: CompletionRequest) -> AsyncIterator[CompletionChunk]:
        """Stream an answer; see `ChatModel.stream`."""
        connection = await self._ask(self._write(request))
        whole = False
        try:
            await self._check(connection)
            reader = ChunkReader(self._spec)
            lines = LineSplitter()
            # Little is done for each token: no method that needs not be, no task and no timer.
            while not reader.done:
                data = await connection.read()
                for line in lines.feed(data):
                    chunk = reader.read(line) if line else None
                    if chunk is not None:
                        yield chunk
                if not data:
                    chunk = reader.end(lines.tail)
                    if chunk is not None:
                        yield chunk
            whole = True
        except (BrokenAnswer, LineTooLong) as error:
            raise malformed(self._spec, str(error)) from error
        except ConnectionCut as error:
            raise stream_cut(self._spec, str(error)) from error
        finally:
            if whole:
                self._pool.keep(connection)
            else:
                self._pool.drop(connection)

    async def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def _write(self, request: CompletionRequest) -> bytes:
        body = msgspec.json.encode(write_request(self._spec.name, request))
        key = read_key(self._spec)
        shown = f"authorization: Bearer {key}\r\n" if key else ""
        return f"{self._head}{shown}content-length: {len(body)}\r\n\r\n".encode("latin-1") + body

    async def _ask(self, request: bytes) -> HttpConnection:
        try:
            return await self._pool.ask(request)
        except BrokenAnswer as error:
            raise malformed(self._spec, str(error)) from error
        except OSError as error:
            raise unreachable(self._spec, error) from error

    async def _check(self, connection: HttpConnection) -> None:
        """Raise the `ModelFailed` of an answer that is no stream."""
        kind = connection.headers.get(b"content-type", b"").lower()
        if connection.status != 200:
            raise await self._refusal(connection)
        if connection.headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise malformed(self._spec, "it is compressed, which was not asked for")
        if kind.startswith(_JSON):
            raise await self._document(connection)
        if not kind.startswith(_EVENTS):
            raise malformed(self._spec, f"its type is '{kind.decode('latin-1')}', not a stream of events")

    async def _refusal(self, connection: HttpConnection) -> ModelFailed:
        try:
            body = await self._error_body(connection)
        except (BrokenAnswer, ConnectionCut):
            # The status says enough.
            body = b""
        retry_after = connection.headers.get(b"retry-after", b"").decode("latin-1")
        return refused(self._spec, connection.status, body, retry_after)

    async def _document(self, connection: HttpConnection) -> ModelFailed:
        """What is wrong with an answer in one piece: it should be an error, and is not to be one."""
        try:
            document = msgspec.json.decode(await self._error_body(connection))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return malformed(self._spec, str(error))
        if isinstance(document, dict) and document.get("error"):
            return reported(self._spec, document["error"])
        return malformed(self._spec, "it came in one piece, not as a stream")

    async def _error_body(self, connection: HttpConnection) -> bytes:
        """The first 64 KiB of a body."""
        body = b""
        while len(body) < ERROR_BYTES and (data := await connection.read()):
            body += data
        return body[:ERROR_BYTES]


def _authority(host: str, port: int | None) -> str:
    named = f"[{host}]" if ":" in host else host
    return named if port is None else f"{named}:{port}"
