from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest

from agent_gateway.testing import Fault, Reply, ScriptedModelServer

MODEL = "llama3:8b"
OPENAI, OLLAMA = "/v1/chat/completions", "/api/chat"
APIS = pytest.mark.parametrize("path", [OPENAI, OLLAMA])
#: Seconds to wait for what will not come.
IMPATIENT = 0.15
TEXT = "One two three."
CALLS = [("start_pump", {"pump": "north", "speed": 3})]
#: What each way to begin an answer and not to end it looks like to a client.
BROKEN = {
    Fault.BLACK_HOLE: httpx.ReadTimeout,
    Fault.NO_HEADERS: httpx.ReadTimeout,
    Fault.NO_FIRST_BYTE: httpx.ReadTimeout,
    Fault.STALL: httpx.ReadTimeout,
    Fault.CUT: httpx.ReadError,
}
STATUSES = {
    Fault.RATE_LIMIT: 429,
    Fault.RATE_LIMIT_RETRY_AFTER: 429,
    Fault.SERVER_ERROR: 500,
    Fault.UNAVAILABLE: 503,
    Fault.MODEL_NOT_FOUND: 404,
    Fault.CONTEXT_TOO_LONG: 400,
    Fault.WRONG_KEY: 401,
}
SDK_ERRORS: dict[Fault, type[Exception]] = {
    Fault.BLACK_HOLE: openai.APITimeoutError,
    Fault.NO_HEADERS: openai.APITimeoutError,
    # Once there are headers, the SDK lets its HTTP library's errors through.
    Fault.NO_FIRST_BYTE: httpx.ReadTimeout,
    Fault.STALL: httpx.ReadTimeout,
    Fault.CUT: httpx.ReadError,
    Fault.RATE_LIMIT: openai.RateLimitError,
    Fault.RATE_LIMIT_RETRY_AFTER: openai.RateLimitError,
    Fault.SERVER_ERROR: openai.InternalServerError,
    Fault.UNAVAILABLE: openai.InternalServerError,
    Fault.MODEL_NOT_FOUND: openai.NotFoundError,
    Fault.CONTEXT_TOO_LONG: openai.BadRequestError,
    Fault.WRONG_KEY: openai.AuthenticationError,
    Fault.NO_TOOLS: openai.BadRequestError,
    Fault.NO_SCHEMA: openai.BadRequestError,
    Fault.MALFORMED_JSON: json.JSONDecodeError,
    Fault.HALF_UTF8: UnicodeDecodeError,
}

#: The text and the reasons for the end that the SDK makes of these.
OVERLOOKED: dict[Fault, tuple[str, list[str]]] = {
    Fault.NO_TERMINAL: ("Wait.", []),
    Fault.CUT_TOOL_CALL: ("Wait.", []),
    Fault.TWO_TERMINALS: ("Wait.", ["tool_calls"]),
    Fault.WRONG_CONTENT_TYPE: ("", []),
}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client."""
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        yield client


def asked(*, stream: bool = True, **more: Any) -> dict[str, Any]:
    """A chat request."""
    return {"model": MODEL, "messages": [{"role": "user", "content": "Go"}], "stream": stream, **more}


async def until_no_call_is_open(server: ScriptedModelServer) -> None:
    """Wait for the server to notice that everybody left."""
    async with asyncio.timeout(5):
        while server.open_calls:  # noqa: ASYNC110 - what is waited for is a counter
            await asyncio.sleep(0.005)


async def received(
    client: httpx.AsyncClient, url: str, body: dict[str, Any], patience: float = 10
) -> tuple[bytes, type[Exception] | None]:
    """What came of an answer, and how it broke off if it did. `patience` is in seconds."""
    parts = []
    try:
        async with client.stream("POST", url, json=body, timeout=httpx.Timeout(10, read=patience)) as answer:
            async for part in answer.aiter_raw():
                parts.append(part)  # noqa: PERF401 - what came before an error is kept
    except httpx.TransportError as error:
        return b"".join(parts), type(error)
    return b"".join(parts), None


def text_of(answer: bytes) -> str:
    """The text in the lines of a stream that are whole."""
    text = ""
    for line in answer.replace(b"data: ", b"").replace(b"[DONE]", b"").splitlines():
        try:
            found = json.loads(line or b"{}")
        except ValueError:
            continue
        messages = [choice["delta"] for choice in found.get("choices", ())] or [found.get("message", {})]
        text += "".join(message.get("content") or "" for message in messages)
    return text


def ends(answer: bytes, path: str) -> int:
    """How often a stream says that it is at its end."""
    assert answer.count(b"[DONE]") == (answer.count(b'"finish_reason":"') if path == OPENAI else 0)
    return answer.count(b"[DONE]" if path == OPENAI else b'"done":true')


@APIS
@pytest.mark.parametrize("fault", BROKEN)
async def test_an_answer_breaks_off(client: httpx.AsyncClient, path: str, fault: Fault) -> None:
    reply = Reply(TEXT, fault=fault, pieces_before_fault=2)
    async with ScriptedModelServer(replies=[reply]) as server:
        answer, error = await received(client, server.url + path, asked(), IMPATIENT)
        assert error is BROKEN[fault]
        await until_no_call_is_open(server)
        assert (server.requests[0].disconnected_at is None) == (fault is Fault.CUT)
    assert text_of(answer) == ("One two" if fault in {Fault.STALL, Fault.CUT} else "")
    assert ends(answer, path) == 0


@APIS
@pytest.mark.parametrize("fault", BROKEN)
async def test_an_answer_in_one_breaks_off_too(client: httpx.AsyncClient, path: str, fault: Fault) -> None:
    async with ScriptedModelServer(replies=[Reply(TEXT, fault=fault)]) as server:
        answer, error = await received(client, server.url + path, asked(stream=False), IMPATIENT)
    assert error is BROKEN[fault]
    assert bool(answer) == (fault in {Fault.STALL, Fault.CUT})
    with pytest.raises(ValueError):
        json.loads(answer)


async def test_a_black_hole_does_not_read(client: httpx.AsyncClient) -> None:
    body = asked(padding="x" * 16_000_000)
    for fault, error in ((Fault.BLACK_HOLE, httpx.WriteTimeout), (Fault.NO_HEADERS, httpx.ReadTimeout)):
        async with ScriptedModelServer(replies=[Reply(fault=fault), Reply(TEXT)]) as server:
            with pytest.raises(error):
                await client.post(server.url + OLLAMA, json=body, timeout=httpx.Timeout(0.5))
            assert (server.requests[0].body == {}) == (fault is Fault.BLACK_HOLE)
            assert text_of((await client.post(server.url + OLLAMA, json=asked())).content) == TEXT


async def test_a_function_may_open_a_black_hole(client: httpx.AsyncClient) -> None:
    async with ScriptedModelServer(replies=lambda _: Reply(fault=Fault.BLACK_HOLE)) as server:
        assert await received(client, server.url + OLLAMA, asked(), IMPATIENT) == (b"", httpx.ReadTimeout)


@APIS
async def test_a_stream_may_end_without_an_end(client: httpx.AsyncClient, path: str) -> None:
    async with ScriptedModelServer(replies=[Reply(TEXT, fault=Fault.NO_TERMINAL, pieces_before_fault=9)]) as server:
        answer, error = await received(client, server.url + path, asked())
        whole = (await client.post(server.url + path, json=asked(stream=False))).json()
    assert (text_of(answer), error, ends(answer, path)) == (TEXT, None, 0)
    assert whole["choices"][0]["finish_reason"] is None if path == OPENAI else whole["done"] is False


@APIS
async def test_a_stream_may_end_twice(client: httpx.AsyncClient, path: str) -> None:
    async with ScriptedModelServer(replies=[Reply(TEXT, fault=Fault.TWO_TERMINALS)]) as server:
        answer, error = await received(client, server.url + path, asked())
    assert (text_of(answer), error, ends(answer, path)) == (TEXT, None, 2)


@APIS
async def test_a_line_may_be_no_json(client: httpx.AsyncClient, path: str) -> None:
    async with ScriptedModelServer(replies=[Reply(TEXT, fault=Fault.MALFORMED_JSON)]) as server:
        answer, error = await received(client, server.url + path, asked())
        whole = await client.post(server.url + path, json=asked(stream=False))
    lines = [line.removeprefix(b"data: ") for line in answer.splitlines() if line and b"[DONE]" not in line]
    broken = [number for number, line in enumerate(lines) if line[-1:] != b"}"]
    assert (text_of(answer), error, ends(answer, path)) == (TEXT, None, 1)
    assert broken == [2 if path == OPENAI else 1]
    with pytest.raises(ValueError):
        whole.json()


@APIS
@pytest.mark.parametrize("stream", [True, False])
async def test_a_character_may_be_cut_in_two(client: httpx.AsyncClient, path: str, stream: bool) -> None:
    async with ScriptedModelServer(replies=[Reply(TEXT, fault=Fault.HALF_UTF8)]) as server:
        answer, error = await received(client, server.url + path, asked(stream=stream))
    assert error is None
    assert text_of(answer) == ("One" if stream else "")
    with pytest.raises(UnicodeDecodeError, match="unexpected end of data"):
        answer.decode()


@APIS
async def test_a_line_may_go_on_and_on(client: httpx.AsyncClient, path: str) -> None:
    async with ScriptedModelServer(replies=[Reply(TEXT, fault=Fault.HUGE_LINE)]) as server:
        size, breaks = 0, 0
        async with client.stream("POST", server.url + path, json=asked()) as answer:
            async for part in answer.aiter_raw():
                size += len(part)
                breaks = part.count(b"\n") if b"xxxx" in part else breaks
                if size > 3_000_000:
                    break
        await until_no_call_is_open(server)
        assert breaks == 0
        assert server.requests[0].disconnected_at is not None


async def test_a_huge_line_has_100_megabytes(client: httpx.AsyncClient) -> None:
    async with ScriptedModelServer(replies=[Reply(fault=Fault.HUGE_LINE)]) as server:
        size = 0
        async with client.stream("POST", server.url + OLLAMA, json=asked(stream=False)) as answer:
            async for part in answer.aiter_raw():
                size += len(part)
    assert 100_000_000 <= size < 101_000_000


@APIS
async def test_a_tool_call_may_be_cut(client: httpx.AsyncClient, path: str) -> None:
    async with ScriptedModelServer(replies=[Reply("Wait.", tool_calls=CALLS, fault=Fault.CUT_TOOL_CALL)]) as server:
        answer, error = await received(client, server.url + path, asked())
        whole = await client.post(server.url + path, json=asked(stream=False))
    assert (text_of(answer), error, ends(answer, path)) == ("Wait.", None, 0)
    assert b"start_pump" in answer
    assert b"north" not in answer or b"speed" not in answer
    with pytest.raises(ValueError):
        whole.json()


@APIS
async def test_a_web_page_may_come_instead(client: httpx.AsyncClient, path: str) -> None:
    async with ScriptedModelServer(replies=[Reply(TEXT, fault=Fault.WRONG_CONTENT_TYPE)]) as server:
        answer = await client.post(server.url + path, json=asked())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")


@APIS
@pytest.mark.parametrize("fault", STATUSES)
async def test_a_request_is_refused_as_the_api_does_it(client: httpx.AsyncClient, path: str, fault: Fault) -> None:
    reply = Reply(TEXT, fault=fault, retry_after=7)
    async with ScriptedModelServer(replies=[reply, Reply(TEXT)]) as server:
        answer = await client.post(server.url + path, json=asked())
        assert text_of((await client.post(server.url + path, json=asked())).content) == TEXT
    error = answer.json()["error"]
    assert answer.status_code == STATUSES[fault]
    assert isinstance(error, dict if path == OPENAI else str)
    assert answer.headers.get("retry-after") == ("7" if fault is Fault.RATE_LIMIT_RETRY_AFTER else None)


async def test_the_words_of_a_refusal_are_those_of_real_servers(client: httpx.AsyncClient) -> None:
    replies = [Reply(fault=fault) for fault in (Fault.CONTEXT_TOO_LONG, Fault.NO_TOOLS, Fault.NO_TOOLS)]
    async with ScriptedModelServer(replies=replies) as server:
        long, tools = [(await client.post(server.url + OPENAI, json=asked(tools=[{}]))).json() for _ in range(2)]
        same = (await client.post(server.url + OLLAMA, json=asked(tools=[{}]))).json()
        lost = [(await client.post(server.url + path, json=asked(model="x"))).json() for path in (OPENAI, OLLAMA)]
        assert len(server.requests) == 5
    assert long["error"]["message"].startswith(
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"
    )
    assert tools["error"]["message"] == "registry.ollama.ai/library/llama3:8b does not support tools" == same["error"]
    assert lost == [
        {"error": {"message": "The model `x` does not exist.", "type": "NotFoundError", "param": None, "code": 404}},
        {"error": "model 'x' not found"},
    ]


@pytest.mark.parametrize(
    ("fault", "path", "asks"),
    [
        (Fault.NO_TOOLS, OPENAI, {"tools": [{}]}),
        (Fault.NO_TOOLS, OLLAMA, {"tools": [{}]}),
        (Fault.NO_SCHEMA, OPENAI, {"response_format": {"type": "json_object"}}),
        (Fault.NO_SCHEMA, OLLAMA, {"format": "json"}),
    ],
)
async def test_what_a_model_cannot_do_is_refused_and_the_rest_answered(
    client: httpx.AsyncClient, fault: Fault, path: str, asks: dict[str, Any]
) -> None:
    async with ScriptedModelServer(replies=[Reply(TEXT, fault=fault)]) as server:
        refused = await client.post(server.url + path, json=asked(**asks))
        answered = await client.post(server.url + path, json=asked())
    assert (refused.status_code, answered.status_code) == (400, 200)
    assert (text_of(answered.content), ends(answered.content, path)) == (TEXT, 1)


async def ask_sdk(server: ScriptedModelServer, patience: float = 10, **more: Any) -> tuple[str, list[str]]:
    """Ask with OpenAI's own client: the text that came, and the reasons for the end."""
    text, reasons = "", []
    async with openai.AsyncOpenAI(base_url=server.openai_url, api_key="x", max_retries=0, timeout=patience) as model:
        async for chunk in await model.chat.completions.create(**asked(**more)):
            for choice in chunk.choices:
                text += choice.delta.content or ""
                reasons += [choice.finish_reason] if choice.finish_reason else []
    return text, reasons


@pytest.mark.parametrize("fault", SDK_ERRORS)
async def test_the_sdk_says_what_is_wrong(fault: Fault) -> None:
    async with ScriptedModelServer(replies=[Reply(TEXT, fault=fault)]) as server:
        with pytest.raises(SDK_ERRORS[fault]):
            await ask_sdk(
                server, IMPATIENT if fault in BROKEN else 10, tools=[{}], response_format={"type": "json_object"}
            )


@pytest.mark.parametrize("fault", OVERLOOKED)
async def test_the_sdk_overlooks_some_faults(fault: Fault) -> None:
    async with ScriptedModelServer(replies=[Reply("Wait.", tool_calls=CALLS, fault=fault)]) as server:
        assert await ask_sdk(server) == OVERLOOKED[fault]


def test_every_fault_is_tried() -> None:
    assert set(Fault) == set(SDK_ERRORS) | set(OVERLOOKED) | {Fault.HUGE_LINE}
