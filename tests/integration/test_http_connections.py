from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from tests.live_edge import LiveEdge, exchange, live_edge, read_response

from agent_gateway.api import bodies
from agent_gateway.api.problems import ProblemDocument
from agent_gateway.server import ConnectionLimits, ServeOptions

GET = b"GET /v1/persona HTTP/1.1\r\nhost: t\r\n\r\n"


@pytest.fixture
async def live() -> AsyncIterator[LiveEdge]:
    limits = ConnectionLimits(header_seconds=0.3, header_bytes=65_536)
    async with live_edge(options=ServeOptions(grace=5, limits=limits)) as made:
        yield made


async def test_headers_that_never_end_are_given_up_on(live: LiveEdge) -> None:
    response = await asyncio.wait_for(exchange(live.port("bruno"), b"GET / HTTP/1.1\r\nhost: t\r\n"), 5)
    assert (response.status, response.closed) == (408, True)
    assert msgspec.json.decode(response.body, type=ProblemDocument).code == "request_timeout"


async def test_headers_that_trickle_in_do_not_win_time(live: LiveEdge) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port("bruno"))
    reading = asyncio.create_task(read_response(reader))
    writer.write(b"GET / HTTP/1.1\r\n")
    for number in range(100):
        if reading.done():
            break
        writer.write(f"x-{number}: a\r\n".encode())
        await asyncio.wait([reading], timeout=0.05)
    assert (await reading).status == 408
    assert number < 20
    writer.close()


async def test_a_connection_that_says_nothing_is_closed_without_an_answer(live: LiveEdge) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port("bruno"))
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_empty_lines_do_not_keep_a_connection_for_ever(live: LiveEdge) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port("bruno"))
    writer.write(GET)
    assert (await read_response(reader)).status == 200
    writer.write(b"\r\n")
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_a_second_request_on_a_connection_has_its_own_time(live: LiveEdge) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port("bruno"))
    for _ in range(3):
        writer.write(GET)
        assert (await read_response(reader)).status == 200
        await asyncio.sleep(0.2)
    writer.write(GET[:20])
    assert (await asyncio.wait_for(read_response(reader), 5)).status == 408
    writer.close()


async def test_a_stream_outlives_the_time_that_headers_have(live: LiveEdge) -> None:
    body = b'{"message":"' + b"a " * 20 + b'","stream":true}'
    head = f"POST /v1/chat HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port("bruno"))
    live.gateway.runs.speak = _slowly
    writer.write(head.encode() + body)
    streamed = await asyncio.wait_for(reader.readuntil(b"event: done"), 10)
    assert streamed.startswith(b"HTTP/1.1 200")
    writer.close()


async def _slowly(*_: object) -> str:
    await asyncio.sleep(0.8)
    return "at last"


async def test_requests_that_come_together_are_answered_in_order(live: LiveEdge) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port("bruno"))
    writer.write(GET + GET.replace(b"/v1/persona", b"/livez") + GET)
    bodies_seen = [(await read_response(reader)).body for _ in range(3)]
    assert [b"alive" in body for body in bodies_seen] == [False, True, False]
    writer.close()


@pytest.mark.parametrize("size", [70_000, 5_000_000])
@pytest.mark.parametrize("shape", ["one", "many", "endless"])
async def test_huge_headers_are_refused(live: LiveEdge, size: int, shape: str) -> None:
    lines = {
        "one": b"x: " + b"a" * size + b"\r\n\r\n",
        "many": b"x: a\r\n" * (size // 6) + b"\r\n",
        "endless": b"x: " + b"a" * size,
    }
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port("bruno"))
    reading = asyncio.create_task(read_response(reader))
    writer.write(b"GET /livez HTTP/1.1\r\nhost: t\r\n" + lines[shape])
    response = await asyncio.wait_for(reading, 10)
    assert (response.status, response.headers["connection"]) == (431, "close")
    assert msgspec.json.decode(response.body, type=ProblemDocument).code == "headers_too_large"
    writer.close()


async def test_a_body_that_never_arrives_is_given_up_on(live: LiveEdge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_SECONDS", 0.2)
    head = b"POST /v1/chat HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"
    response = await asyncio.wait_for(exchange(live.port("bruno"), head), 5)
    assert (response.status, response.closed) == (408, True)
