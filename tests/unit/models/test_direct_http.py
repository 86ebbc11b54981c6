"""The direct adapter's HTTP: bodies of all kinds, connections that are kept, and ones that die."""

from __future__ import annotations

import asyncio
import json

import pytest
from tests.contract.chat_model_doors import read_into, until
from tests.unit.models.raw_server import END, GOOD, answered, events, piece, raw_server

from agent_gateway.completion import ChatMessage, CompletionChunk, CompletionRequest, ModelSpec
from agent_gateway.errors import ModelFailed
from agent_gateway.models import http_connection, http_pool
from agent_gateway.models.direct_chat_model import DirectChatModel
from agent_gateway.models.http_connection import HIGH_WATER_BYTES, HttpConnection

REQUEST = CompletionRequest(messages=(ChatMessage(role="user", content="Is it?"),))


def model_at(address: str, **changes: object) -> DirectChatModel:
    spec = ModelSpec(model="hosted_vllm/org/some-model", address=address, direct=True)
    return DirectChatModel(spec if not changes else spec.__replace__(**changes))


async def say(model: DirectChatModel) -> str:
    return "".join([chunk.text async for chunk in model.stream(REQUEST)])


async def failure(*answers: bytes, close: bool = False) -> ModelFailed:
    async with raw_server(*answers, close=close) as server:
        model = model_at(server.url)
        with pytest.raises(ModelFailed) as caught:
            await say(model)
        await model.close()
    return caught.value


def chunked(body: bytes, size: int) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + framed


@pytest.mark.parametrize(
    ("path", "expected"),
    [("", "/v1/chat/completions"), ("/v1", "/v1/chat/completions"), ("/llm/v1/", "/llm/v1/chat/completions")],
)
async def test_the_path_is_the_addresses(path: str, expected: str) -> None:
    async with raw_server(GOOD) as server:
        model = model_at(server.url + path)
        assert await say(model) == "Yes."
        await model.close()
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(f"POST {expected} HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\n".encode())
    assert json.loads(body)["model"] == "org/some-model"
    assert b"authorization" not in head


@pytest.mark.parametrize(
    ("address", "line", "host"),
    [
        ("http://例え.lan:8000/v1", "/v1/chat/completions", "xn--r8jz45g.lan:8000"),
        ("http://bücher.lan", "/v1/chat/completions", "xn--bcher-kva.lan"),
        ("http://vllm.lan/modèle/%41", "/mod%C3%A8le/%41/chat/completions", "vllm.lan"),
        ("http://[::1]:8000", "/v1/chat/completions", "[::1]:8000"),
    ],
)
def test_an_address_in_any_script_is_asked_as_the_network_writes_it(address: str, line: str, host: str) -> None:
    head = model_at(address)._write(REQUEST)
    assert head.startswith(f"POST {line} HTTP/1.1\r\nhost: {host}\r\n".encode())


@pytest.mark.parametrize(
    "address", [f"http://{'ü' * 70}.lan", f"http://{'u' * 70}.lan", "http://a..lan", "http://a\0b"]
)
def test_a_host_that_cannot_be_looked_up_is_refused_at_once(address: str) -> None:
    with pytest.raises(ValueError, match=r"label|address"):
        model_at(address)


@pytest.mark.parametrize("address", ["", "127.0.0.1:80", "ftp://127.0.0.1/"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        model_at(address)


@pytest.mark.parametrize(
    ("answer", "close"),
    [
        (GOOD, False),
        (chunked(events(piece("Yes."), END), 5), False),
        (answered(events(piece("Yes."), END), length=False), True),
        (answered(events(piece("Yes."), END, done=False), length=False), True),
        (answered(events(piece("Yes."), END).replace(b"\n", b"\r\n")), False),
        (answered(b": ping\n\nevent: message\nid: 3\n" + events(piece("Yes."), END)), False),
        (answered(events(piece("Yes."), END, done=False).rstrip()), False),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD, False),
    ],
    ids=["length", "chunked", "until-closed", "no-done", "crlf", "comments", "no-last-line-feed", "continue"],
)
async def test_a_body_may_have_any_form(answer: bytes, close: bool) -> None:
    async with raw_server(answer, close=close) as server:
        model = model_at(server.url)
        assert [await say(model) for _ in range(2)] == ["Yes.", "Yes."]
        await until(lambda: not model._pool._busy)
        await model.close()
    assert server.connections == (2 if close else 1)


async def test_a_body_without_an_end_costs_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "DRAIN_SECONDS", 0.05)
    endless = chunked(events(piece("Yes."), END), 1000).removesuffix(b"0\r\n\r\n")
    async with raw_server(endless) as server:
        model = model_at(server.url)
        assert await say(model) == "Yes."
        await server.end()
        assert (model._pool._idle, model._pool._busy) == ([], set())
        assert await say(model) == "Yes."
        await model.close()
    assert server.connections == 2


async def test_a_connection_that_answered_in_part_is_not_tried_again() -> None:
    async with raw_server(GOOD, b"HTTP/1.1 200 OK\r\ncont", close=False) as server:
        model = model_at(server.url)
        await say(model)
        server.close = True
        with pytest.raises(ModelFailed):
            await say(model)
        await model.close()
    assert len(server.requests) == 2


async def test_connections_that_lay_idle_long_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_server(GOOD) as server:
        model = model_at(server.url)
        await say(model)
        monkeypatch.setattr(http_pool, "IDLE_SECONDS", 0.0)
        await say(model)
        await model.close()
    assert server.connections == 2


async def test_no_more_connections_are_kept_than_may_be_used_at_once() -> None:
    async with raw_server(GOOD) as server:
        model = model_at(server.url, concurrency=2)
        await asyncio.gather(*(say(model) for _ in range(5)))
        assert (server.connections, len(model._pool._idle), model._pool._busy) == (5, 2, set())
        await model.close()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "model_malformed"),
        (b"HTTP/1.1 200 OK\r\n" + b"x-filler: yes\r\n" * 40_000, "model_malformed"),
        (answered(b"\x1f\x8b", "content-encoding: gzip"), "model_malformed"),
        (answered(b'{"choices": []}').replace(b"text/event-stream", b"application/json"), "model_malformed"),
        (answered(b'{"error": "busy"}').replace(b"text/event-stream", b"application/json"), "model_overloaded"),
        (answered(b"", "location: http://127.0.0.1/", status="307 Temporary Redirect"), "model_rejected"),
        (answered(b"x" * 200_000, status="418 Teapot"), "model_rejected"),
    ],
    ids=["no-http", "endless-headers", "compressed", "document", "error-document", "redirect", "long-error"],
)
async def test_what_is_no_stream_has_its_code(answer: bytes, code: str) -> None:
    error = await failure(answer)
    assert error.code == code
    assert len(error.detail) < 400


async def test_bytes_that_nobody_asked_for_end_a_kept_connection() -> None:
    async with raw_server(GOOD + GOOD) as server:
        model = model_at(server.url)
        assert [await say(model) for _ in range(2)] == ["Yes.", "Yes."]
        await model.close()
    assert server.connections == 2


async def test_an_answer_that_is_not_read_makes_its_server_wait() -> None:
    line = events(piece("x" * 1000), done=False)
    total = 40 * HIGH_WATER_BYTES
    async with raw_server(answered(line * (total // len(line)))) as server:
        model = model_at(server.url)
        stream = model.stream(REQUEST)
        await anext(stream)
        await asyncio.sleep(0.2)
        (connection,) = model._pool._busy
        assert isinstance(connection, HttpConnection)
        assert connection._held < 3 * HIGH_WATER_BYTES
        assert connection._paused
        chunks: list[CompletionChunk] = []
        with pytest.raises(ModelFailed) as caught:
            await read_into(chunks, stream)
        await model.close()
    assert (caught.value.code, 1 + len(chunks)) == ("model_stream_cut", total // len(line))
