"""A model server that costs next to nothing, so that a measurement is its client's: OpenAI's chat completions.

    python -m benchmarks.model_upstream [--tokens 400] [--rate 20]

The first line it prints is its port. `whole` answers with 40 tokens in one piece, `instant` with as many pieces in one
write. `paced` streams `--tokens` of them, `--rate` a second, and the text of each is the time it was sent, on the clock
that all processes of a machine share.
Where a JSON schema is asked for, the answer follows it. `GET /calls` says how many chats were asked for so far.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import Any, cast

import msgspec

#: Forty tokens that an answer of a small model could be made of; the first passage is cited.
ANSWER = (
    "Check the certificate first and renew it with cert-manager when fewer than thirty days are left [1]. "
    "Then restart the ingress, look at its log, and tell the people who wait for it that it is done [1]."
)
WHOLE, INSTANT, PACED = "whole", "instant", "paced"
_ABOUT = b'{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":['
_USAGE = b'"usage":{"prompt_tokens":900,"completion_tokens":%d,"total_tokens":%d}'
_STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
_LAST = b"0\r\n\r\n"


class ChatBody(msgspec.Struct, frozen=True):
    """What is read of a request."""

    model: str = INSTANT
    stream: bool = False
    stream_options: dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON schema of the answer, if one was given."""
        given = (self.response_format or {}).get("json_schema") or {}
        found: dict[str, Any] | None = given.get("schema")
        return found

    @property
    def says_usage(self) -> bool:
        """Whether a stream is to end with the tokens it took."""
        return bool((self.stream_options or {}).get("include_usage"))


def example_of(schema: dict[str, Any]) -> Any:
    """A value that follows a schema, as far as the schemas of a classification go."""
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: example_of(each) for name, each in schema.get("properties", {}).items()}
        case "array":
            return []
        case "integer" | "number":
            return max(0, schema.get("minimum", 0))
        case "boolean":
            return False
    return "query"


def piece(text: str, finish: str = "null") -> bytes:
    """A chunk of the answer as an event."""
    delta = b'{"role":"assistant","content":%b}' % msgspec.json.encode(text) if text else b"{}"
    return b'data: %b{"index":0,"delta":%b,"finish_reason":%b}]}\n\n' % (_ABOUT, delta, finish.encode())


def closing(tokens: int, says_usage: bool) -> bytes:
    """The end of a stream."""
    end = piece("", '"stop"')
    if says_usage:
        end += b"data: %b],%b}\n\n" % (_ABOUT, _USAGE % (tokens, 900 + tokens))
    return end + b"data: [DONE]\n\n"


def framed(data: bytes) -> bytes:
    """A chunk of an HTTP body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def document(text: str) -> bytes:
    """A whole completion."""
    tokens = len(text.split())
    told = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": told, "finish_reason": "stop"}
    usage = {"prompt_tokens": 900, "completion_tokens": tokens, "total_tokens": 900 + tokens}
    about = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m"}
    return msgspec.json.encode({**about, "choices": [choice], "usage": usage})


class Exchange(asyncio.Protocol):
    """One kept-alive connection; requests come one after the other."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._received = b""
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not derived from asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
        length = int(fields.get(b"content-length", b"0"))
        if len(rest) >= length:
            self._received = rest[length:]
            self._answer(head.split(b" ", 2)[1], rest[:length])

    def _answer(self, path: bytes, body: bytes) -> None:
        if path.endswith(b"/chat/completions"):
            self._chat(msgspec.json.decode(body, type=ChatBody))
        elif path == b"/calls":
            self._send(b"%d" % self._upstream.calls)
        else:
            models = [{"id": name, "object": "model", "owned_by": "benchmark"} for name in (WHOLE, INSTANT, PACED)]
            self._send(msgspec.json.encode({"object": "list", "data": models}))

    def _send(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)

    def _chat(self, body: ChatBody) -> None:
        self._upstream.calls += 1
        text = ANSWER if body.schema is None else msgspec.json.encode(example_of(body.schema)).decode()
        if not body.stream:
            self._send(document(text))
        elif body.model == PACED and body.schema is None:
            self._transport.write(_STREAM)
            self._speak(self._upstream.tokens, asyncio.get_running_loop().time(), body.says_usage)
        else:
            words = text.split(" ")
            pieces = [f"{word} " for word in words[:-1]] + words[-1:] if body.model == INSTANT else [text]
            spoken = b"".join([*map(piece, pieces), closing(len(words), body.says_usage)])
            self._transport.write(_STREAM + framed(spoken) + _LAST)

    def _speak(self, left: int, due: float, says_usage: bool) -> None:
        """Send a token, and see to it that the others follow at the pace."""
        if not left:
            self._transport.write(framed(closing(self._upstream.tokens, says_usage)) + _LAST)
            return
        self._transport.write(framed(piece(f"{time.monotonic():.6f} ")))
        due += self._upstream.interval
        self._timer = asyncio.get_running_loop().call_at(due, self._speak, left - 1, due, says_usage)


class Upstream:
    """What all connections share. `interval` is in seconds."""

    def __init__(self, tokens: int, rate: float) -> None:
        self.tokens = tokens
        self.interval = 1 / rate
        self.calls = 0


async def serve(upstream: Upstream) -> None:
    """Serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(lambda: Exchange(upstream), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=400)
    parser.add_argument("--rate", type=float, default=20.0)
    given = parser.parse_args()
    if sys.platform != "win32":
        import uvloop

        uvloop.install()
    asyncio.run(serve(Upstream(given.tokens, given.rate)))
