from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import msgspec
import psutil
import pytest
import pytest_asyncio
from tests.live_edge import LiveEdge, RawResponse, ask, exchange, live_edge, read_response

from agent_gateway.api.problems import ProblemDocument

JSON = "content-type: application/json\r\n"
MIB = 1024 * 1024


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live() -> AsyncIterator[LiveEdge]:
    async with live_edge() as made:
        yield made


def check(response: RawResponse, status: int, code: str) -> ProblemDocument:
    """A problem as promised: the right status and code, in the right shape."""
    assert response.headers["content-type"] == "application/problem+json"
    document = msgspec.json.decode(response.body, type=ProblemDocument, strict=True)
    assert (response.status, document.status, document.code) == (status, status, code)
    assert document.request_id == response.headers["x-request-id"]
    return document


@pytest.mark.parametrize(("path", "field"), [("/v1/chat", b"message"), ("/v1/search", b"query")])
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid_input"),
        (b"hello", 400, "invalid_json"),
        (b"\xff\xfe\x00", 400, "invalid_json"),
        (b'{"FIELD":"\xff"}', 400, "invalid_json"),
        (b'{"FIELD":"\\ud800"}', 400, "invalid_json"),
        (b'{"FIELD":"\xed\xa0\x80"}', 400, "invalid_json"),
        (b"[" * 100_000, 400, "invalid_input"),
        (b"[" * 100_000 + b"]" * 100_000, 400, "invalid_input"),
        (b'{"FIELD":' * 50_000, 400, "invalid_input"),
        (b'{"deep":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "invalid_input"),
        (b"null", 400, "invalid_input"),
        (b'"text"', 400, "invalid_input"),
        (b'{"FIELD":1}', 400, "invalid_input"),
        (b"{}", 400, "invalid_input"),
    ],
)
async def test_a_body_that_is_no_request_is_refused(
    live: LiveEdge, path: str, field: bytes, body: bytes, status: int, code: str
) -> None:
    check(await ask(live.port("bruno"), "POST", path, body.replace(b"FIELD", field), JSON), status, code)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"message":"a","admin":true}', "unknown field `admin`"),
        (b'{"message":"a\\u0000b"}', "`message` contains a NUL"),
        (b'{"message":"a","stream":"true"}', "$.stream"),
        (b'{"message":"a","conversation_id":7}', "$.conversation_id"),
        (b'{"message":"  \\n "}', "`message` is blank"),
        (b'{"message":"' + b"a" * 32_001 + b'"}', "longer than 32000"),
    ],
)
async def test_a_field_that_is_wrong_is_named(live: LiveEdge, body: bytes, says: str) -> None:
    problem = check(await ask(live.port("bruno"), "POST", "/v1/chat", body, JSON), 400, "invalid_input")
    assert says in problem.detail


@pytest.mark.parametrize(
    "headers",
    ["", "content-type: text/plain\r\n", "content-type: application/x-www-form-urlencoded\r\n",
     "content-type: application/json; charset=utf-16\r\n", "content-type: \xff\r\n"],
)  # fmt: skip
async def test_a_body_that_is_not_json_is_unsupported(live: LiveEdge, headers: str) -> None:
    problem = check(
        await ask(live.port("bruno"), "POST", "/v1/chat", b'{"message":"a"}', headers), 415, "unsupported_media_type"
    )
    assert "content-type" in problem.hint


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/v1/conversations/conversation_1", "conversation_not_found"),
        ("DELETE", "/v1/conversations/conversation_1", "conversation_not_found"),
        ("GET", "/v1/conversations/%00", "conversation_not_found"),
        ("GET", "/v1/conversations/%ff%fe", "conversation_not_found"),
        ("GET", "/v1/conversations/..%2f..%2fetc%2fpasswd", "not_found"),
        ("GET", "/v1/conversations/%25%32%65", "conversation_not_found"),
        ("GET", "/v1/conversations/" + "a" * 5000, "conversation_not_found"),
        ("GET", "/v1/runs/%ED%A0%80", "run_not_found"),
        ("GET", "/v1/runs/run_1/events", "run_not_found"),
        ("POST", "/v1/runs/run_1/cancel", "run_not_found"),
        ("POST", "/v1/runs/run_1/resume", "run_not_found"),
        ("GET", "/", "not_found"),
        ("GET", "/v1", "not_found"),
        ("GET", "/v1/chat/more", "not_found"),
        ("GET", "/personas", "not_found"),
        ("GET", "//v1//persona//x", "not_found"),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", "not_found"),
    ],
)
async def test_what_does_not_exist_is_not_found(live: LiveEdge, method: str, path: str, code: str) -> None:
    check(await ask(live.port("bruno"), method, path), 404, code)


async def test_an_unknown_conversation_is_not_found_by_a_message_either(live: LiveEdge) -> None:
    for name in ("conversation_1", "../x", "\u00ff", "a" * 100):
        body = msgspec.json.encode({"message": "a", "conversation_id": name})
        check(await ask(live.port("bruno"), "POST", "/v1/chat", body, JSON), 404, "conversation_not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/chat", {"POST", "OPTIONS"}),
        ("PUT", "/v1/conversations/x", {"GET", "DELETE", "OPTIONS"}),
        ("TRACE", "/v1/persona", {"GET", "OPTIONS"}),
        ("POST", "/readyz", {"GET", "HEAD"}),
    ],
)
async def test_a_method_that_is_not_answered_names_those_that_are(
    live: LiveEdge, method: str, path: str, allowed: set[str]
) -> None:
    response = await ask(live.port("bruno"), method, path)
    check(response, 405, "method_not_allowed")
    assert set(response.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize("value", ["-1", "x", "1.5", "", "9" * 30, "\xff"])
async def test_a_malformed_last_event_id_is_refused(live: LiveEdge, value: str) -> None:
    path = "/v1/runs/run_00000000000000000000000000000001/events"
    response = await ask(live.port("bruno"), "GET", path, headers=f"last-event-id: {value}\r\n")
    check(response, 400, "invalid_last_event_id")


async def test_a_body_that_announces_more_than_a_mebibyte_is_refused_unread(live: LiveEdge) -> None:
    asked = "expect: 100-continue\r\n"
    head = f"POST /v1/chat HTTP/1.1\r\nhost: t\r\n{JSON}{asked}content-length: {MIB + 1}\r\n\r\n".encode()
    response = await exchange(live.port("bruno"), head)
    check(response, 413, "body_too_large")
    assert response.closed


async def test_a_body_of_exactly_a_mebibyte_is_read(live: LiveEdge) -> None:
    body = b'{"message":"' + b" " * (MIB - 14) + b'"}'
    assert len(body) == MIB
    check(await ask(live.port("bruno"), "POST", "/v1/chat", body, JSON), 400, "invalid_input")


async def test_a_gigabyte_in_chunks_is_refused_after_a_mebibyte_without_growing_the_process(live: LiveEdge) -> None:
    process = psutil.Process()
    before = process.memory_info().rss
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port("bruno"))
    reading = asyncio.create_task(read_response(reader))
    writer.write(f"POST /v1/chat HTTP/1.1\r\nhost: t\r\n{JSON}transfer-encoding: chunked\r\n\r\n".encode())
    chunk = b"10000\r\n" + b"a" * 65_536 + b"\r\n"
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < 1024 * MIB and not reading.done():
            writer.write(chunk)
            await writer.drain()
            sent += 65_536
    response = await reading
    writer.close()
    check(response, 413, "body_too_large")
    assert sent < 128 * MIB
    assert process.memory_info().rss - before < 32 * MIB


async def test_a_client_that_only_reads_once_it_has_sent_learns_why_it_is_refused(live: LiveEdge) -> None:
    async def large() -> AsyncIterator[bytes]:
        for _ in range(16 * 16):
            yield b"a" * 65_536

    async with httpx.AsyncClient(timeout=20) as client:
        headers = {"content-type": "application/json"}
        response = await client.post(f"{live.url('bruno')}/v1/chat", content=large(), headers=headers)
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "framing",
    ["content-length: 1\r\ncontent-length: 2\r\n", "content-length: -1\r\n", "content-length: x\r\n",
     "transfer-encoding: chunked\r\ncontent-length: 5\r\n", "transfer-encoding: gzip\r\n"],
)  # fmt: skip
async def test_a_request_framed_in_two_ways_is_not_guessed_at(live: LiveEdge, framing: str) -> None:
    response = await exchange(live.port("bruno"), f"POST /v1/chat HTTP/1.1\r\nhost: t\r\n{framing}\r\nhello".encode())
    assert response.status in {400, 415}
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("sent", [b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET /\xff HTTP/1.1\r\n\r\n"])
async def test_what_is_not_http_is_answered_and_hung_up_on(live: LiveEdge, sent: bytes) -> None:
    response = await exchange(live.port("bruno"), sent)
    assert (response.status, response.closed) == (400, True)
    assert msgspec.json.decode(response.body, type=ProblemDocument).code == "invalid_http"


async def test_after_all_that_the_next_caller_is_served(live: LiveEdge) -> None:
    response = await ask(live.port("bruno"), "POST", "/v1/chat", b'{"message":"hello"}', JSON)
    assert response.status == 200
