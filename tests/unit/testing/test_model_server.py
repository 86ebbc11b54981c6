from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import httptools
import httpx
import openai
import pytest

from agent_gateway.testing import Fault, ModelCall, Reply, ScriptedModelServer

MODEL = "llama3:8b"
QUESTION = {"role": "user", "content": "Which pump runs?"}
PUMP = ("start_pump", {"pump": "north", "speed": 3})
TOOL = {"type": "function", "function": {"name": "start_pump", "parameters": {"type": "object"}}}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client."""
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        yield client


def asked(**more: Any) -> dict[str, Any]:
    """A chat request."""
    return {"model": MODEL, "messages": [QUESTION], **more}


async def lines(client: httpx.AsyncClient, url: str, **more: Any) -> list[Any]:
    """Ask for a stream and decode its lines; `[DONE]` stays text."""
    async with client.stream("POST", url, json=asked(stream=True, **more)) as answer:
        answer.raise_for_status()
        texts = [line.removeprefix("data: ") async for line in answer.aiter_lines() if line]
    return [text if text == "[DONE]" else json.loads(text) for text in texts]


def deltas(chunks: list[Any]) -> list[Any]:
    """The deltas of OpenAI's chunks, and the reason when one has it."""
    choices = [choice for chunk in chunks if isinstance(chunk, dict) for choice in chunk["choices"]]
    return [choice["finish_reason"] or choice["delta"] for choice in choices]


def sdk(server: ScriptedModelServer, key: str = "x") -> openai.AsyncOpenAI:
    """OpenAI's own client, which tries nothing twice."""
    return openai.AsyncOpenAI(base_url=server.openai_url, api_key=key, max_retries=0, timeout=10)


async def test_an_openai_stream_has_role_words_reason_and_end(client: httpx.AsyncClient) -> None:
    async with ScriptedModelServer(replies=[Reply("The north pump runs.")]) as server:
        chunks = await lines(client, f"{server.openai_url}/chat/completions")
    assert deltas(chunks) == [
        {"role": "assistant", "content": ""},
        *({"content": word} for word in ("The", " north", " pump", " runs.")),
        "stop",
    ]
    assert chunks[-1] == "[DONE]"
    assert {(chunk["object"], chunk["model"]) for chunk in chunks[:-1]} == {("chat.completion.chunk", MODEL)}
    assert len({chunk["id"] for chunk in chunks[:-1]}) == 1


async def test_openai_usage_comes_when_it_is_asked_for(client: httpx.AsyncClient) -> None:
    async with ScriptedModelServer(replies=[Reply("Yes."), Reply("Yes.", usage=(7, 9)), Reply(usage=None)]) as server:
        url = f"{server.openai_url}/chat/completions"
        found = [(await lines(client, url, stream_options={"include_usage": True}))[-2] for _ in range(3)]
        assert [chunk.get("usage") for chunk in await lines(client, url) if chunk != "[DONE]"] == [None, None]
    assert [chunk["choices"] for chunk in found[:2]] == [[], []]
    assert [chunk.get("usage") for chunk in found] == [
        {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
        {"prompt_tokens": 7, "completion_tokens": 9, "total_tokens": 16},
        None,
    ]


async def test_the_sdk_puts_tool_calls_together_again() -> None:
    reply = Reply("Let me see.", tool_calls=[PUMP, ("stop_pump", '{"pump": ')])
    async with ScriptedModelServer(replies=[reply]) as server, sdk(server) as model:
        whole = await model.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Go"}])
        stream = await model.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "Go"}], stream=True
        )
        calls: dict[int, list[str]] = {}
        async for chunk in stream:
            for part in chunk.choices[0].delta.tool_calls or ():
                assert part.function
                name, text = calls.setdefault(part.index, ["", ""])
                calls[part.index] = [name + (part.function.name or ""), text + (part.function.arguments or "")]
    assert calls == {0: ["start_pump", '{"pump":"north","speed":3}'], 1: ["stop_pump", '{"pump": ']}
    message, (finish,) = whole.choices[0].message, {chunk.finish_reason for chunk in whole.choices}
    assert (message.content, finish) == ("Let me see.", "tool_calls")
    assert [call.type == "function" and call.function.arguments for call in message.tool_calls or ()] == [
        '{"pump":"north","speed":3}', '{"pump": ',
    ]  # fmt: skip


async def test_an_ollama_stream_has_words_tool_calls_and_counts(client: httpx.AsyncClient) -> None:
    reply = Reply("The pump", tool_calls=[PUMP, ("stop_pump", '{"pump": ')])
    async with ScriptedModelServer(replies=[reply]) as server:
        *said, last = await lines(client, f"{server.url}/api/chat", format={"type": "object"})
        whole = (await client.post(f"{server.url}/api/chat", json=asked(stream=False))).json()
    assert [line["message"]["content"] for line in said] == ["The", " pump", "", ""]
    calls = [call["function"] for line in said for call in line["message"].get("tool_calls", ())]
    assert calls == [{"name": PUMP[0], "arguments": PUMP[1]}, {"name": "stop_pump", "arguments": '{"pump": '}]
    assert [call["function"] for call in whole["message"]["tool_calls"]] == calls
    assert {line["done"] for line in said} == {False}
    for ending in (last, whole):
        assert (ending["done"], ending["done_reason"], ending["prompt_eval_count"]) == (True, "stop", 3)
        assert ending["eval_count"] == 9


async def test_ollama_streams_unless_told_not_to_and_openai_does_not(client: httpx.AsyncClient) -> None:
    async with ScriptedModelServer() as server:
        ollama, compatible = [
            await client.post(url, json=asked())
            for url in (f"{server.url}/api/chat", f"{server.url}/v1/chat/completions")
        ]
    assert (ollama.headers["content-type"], len(ollama.text.splitlines())) == ("application/x-ndjson", 6)
    assert compatible.json()["choices"][0]["message"]["content"] == "This is a scripted answer."


async def test_a_server_tells_of_its_models(client: httpx.AsyncClient) -> None:
    async with ScriptedModelServer(("a", "b:latest"), window=2048, capabilities=["completion"]) as server:
        models = (await client.get(f"{server.openai_url}/models")).json()["data"]
        tags = (await client.get(f"{server.url}/api/tags")).json()["models"]
        version = (await client.get(f"{server.url}/api/version")).json()
        shown = (await client.post(f"{server.url}/api/show", json={"model": "b"})).json()
        missing = await client.post(f"{server.url}/api/show", json={"model": "c"})
        greeting = await client.head(server.url)
        strange = [await client.get(server.url + path) for path in ("/v1/engines", "/api/chat")]
        paths = [probe.path for probe in server.probes]
        async with sdk(server) as model:
            assert [each.id async for each in model.models.list()] == ["a", "b:latest"]
    assert [(each["id"], each["max_model_len"]) for each in models] == [("a", 2048), ("b:latest", 2048)]
    assert [each["name"] for each in tags] == ["a", "b:latest"]
    assert version == {"version": "0.12.6"}
    assert (shown["capabilities"], shown["model_info"]["llama.context_length"]) == (["completion"], 2048)
    assert (missing.status_code, missing.json()) == (404, {"error": "model 'c' not found"})
    assert (greeting.status_code, greeting.text) == (200, "")
    assert [answer.status_code for answer in strange] == [404, 405]
    assert paths[:4] == ["/v1/models", "/api/tags", "/api/version", "/api/show"]
    assert server.requests == []


async def test_requests_are_kept(client: httpx.AsyncClient) -> None:
    async with ScriptedModelServer(replies=[Reply("One."), Reply("Two.")]) as server:
        before = asyncio.get_running_loop().time()
        for url in (f"{server.openai_url}/chat/completions", f"{server.url}/api/chat", f"{server.url}/api/chat"):
            await client.post(url, json=asked(temperature=0), headers={"X-Trace": "t1"})
    assert [(call.api, call.path) for call in server.requests] == [
        ("openai", "/v1/chat/completions"), ("ollama", "/api/chat"), ("ollama", "/api/chat"),
    ]  # fmt: skip
    call = server.requests[0]
    assert (call.messages, call.body["temperature"], call.headers["x-trace"]) == ([QUESTION], 0, "t1")
    assert before <= call.at <= server.requests[1].at
    assert call.disconnected_at is None


async def test_replies_come_in_their_order_and_the_last_again_or_from_a_function(client: httpx.AsyncClient) -> None:
    def echo(call: ModelCall) -> Reply:
        return Reply(call.messages[-1]["content"].upper())

    async def say(server: ScriptedModelServer) -> str:
        answer = await client.post(f"{server.url}/api/chat", json=asked(stream=False))
        return str(answer.json()["message"]["content"])

    async with ScriptedModelServer(replies=[Reply("One."), Reply("Two.")]) as server:
        assert [await say(server) for _ in range(3)] == ["One.", "Two.", "Two."]
    async with ScriptedModelServer(replies=echo) as server:
        assert await say(server) == "WHICH PUMP RUNS?"


async def test_an_error_in_a_reply_function_is_not_lost(client: httpx.AsyncClient) -> None:
    def refuse(call: ModelCall) -> Reply:
        raise AssertionError(f"{call.model} was not to be asked")

    server = ScriptedModelServer(replies=refuse)
    await server.start()
    with pytest.raises(httpx.RemoteProtocolError):
        await client.post(f"{server.url}/api/chat", json=asked())
    with pytest.raises(AssertionError, match="llama3:8b was not to be asked"):
        await server.__aexit__(None, None, None)


async def test_delay_and_pause_are_kept(client: httpx.AsyncClient) -> None:
    loop, times = asyncio.get_running_loop(), []
    async with ScriptedModelServer(replies=[Reply("a b c", delay=0.1, pause=0.1)]) as server:
        start = loop.time()
        async with client.stream("POST", f"{server.url}/api/chat", json=asked()) as answer:
            times.append(loop.time() - start)
            async for _ in answer.aiter_raw():
                times.append(loop.time() - start)  # noqa: PERF401 - each is measured when it comes
    assert len(times) == 5
    expected = (0.1, 0.1, 0.2, 0.3, 0.4)
    assert all(time > due - 0.01 for time, due in zip(times, expected, strict=True)), times
    # The headers do not wait for the rest.
    assert times[0] < expected[-1] <= times[-1] + 0.01


async def test_a_split_stream_is_the_same_text(client: httpx.AsyncClient) -> None:
    async with ScriptedModelServer(replies=[Reply("Grüße über Öfen", split=3)]) as server:
        said = await lines(client, f"{server.url}/api/chat")
        async with client.stream("POST", f"{server.url}/api/chat", json=asked()) as answer:
            sizes = [len(piece) async for piece in answer.aiter_raw()]
    assert "".join(line["message"]["content"] for line in said) == "Grüße über Öfen"
    assert set(sizes[:-1]) == {3}


async def test_a_connection_is_kept_for_the_next_request(client: httpx.AsyncClient) -> None:
    ports = set()
    async with ScriptedModelServer() as server:
        for path in ("/api/tags", "/api/chat", "/v1/chat/completions", "/api/nothing", "/api/chat"):
            answer = await client.post(server.url + path, json=asked(stream=True))
            ports.add(answer.extensions["network_stream"].get_extra_info("client_addr"))
        async with aiohttp.ClientSession() as session:
            for _ in range(2):
                # aiohttp sends what it gets from a generator in chunks.
                async with session.post(f"{server.url}/api/chat", data=generated(asked())) as said:
                    assert len((await said.text()).splitlines()) == 6
    assert len(ports) == 1


async def generated(body: dict[str, Any]) -> AsyncIterator[bytes]:
    """A body in two pieces."""
    text = json.dumps(body).encode()
    for piece in (text[:20], text[20:]):
        yield piece


class Parsed:
    """Collects what httptools finds in an answer."""

    def __init__(self) -> None:
        self.body = b""
        self.done = 0

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.done += 1


async def test_a_raw_client_may_send_two_requests_at_once() -> None:
    async with ScriptedModelServer(replies=[Reply("One."), Reply("Two.")]) as server:
        host, port = server.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        body = json.dumps(asked()).encode()
        request = b"POST /api/chat?x=1 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n%b\r\n%b"
        writer.write(request % (len(body), b"", body) + request % (len(body), b"Connection: close\r\n", body))
        parsed = Parsed()
        parser = httptools.HttpResponseParser(parsed)
        parser.feed_data(await reader.read())
        writer.close()
        await writer.wait_closed()
    assert parsed.done == 2
    assert [json.loads(line)["message"]["content"] for line in parsed.body.splitlines()] == ["One.", "", "Two.", ""]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", 505),
        (b"hello\r\n\r\n", 400),
        (b"POST /api/chat HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST /api/chat HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]", 400),
        (b"POST /api/chat HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 431),
    ],
)
async def test_what_is_no_request_is_refused(request_: bytes, status: int) -> None:
    async with ScriptedModelServer() as server:
        host, port = server.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request_)
        first = await reader.readline()
        writer.close()
        await writer.wait_closed()
    assert first.startswith(b"HTTP/1.1 %d " % status)


async def until(met: Any) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(5):
        while not met():  # noqa: ASYNC110 - what is waited for is a counter
            await asyncio.sleep(0.005)


async def test_a_client_that_leaves_is_noticed(client: httpx.AsyncClient) -> None:
    loop = asyncio.get_running_loop()
    async with ScriptedModelServer(replies=[Reply("a b c d", pause=30)]) as server:
        start = loop.time()
        async with client.stream("POST", f"{server.url}/api/chat", json=asked()) as answer:
            assert await anext(answer.aiter_lines())
            assert server.open_calls == 1
        await until(lambda: not server.open_calls)
        call = server.requests[0]
        assert call.disconnected_at is not None
        assert start < call.disconnected_at <= loop.time()


async def test_a_client_that_has_it_all_did_not_leave() -> None:
    async with ScriptedModelServer() as server:
        async with sdk(server) as model:
            stream = await model.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": "Go"}], stream=True
            )
            assert [chunk async for chunk in stream]
        await until(lambda: not server.open_calls)
        assert server.requests[0].disconnected_at is None


async def test_a_stopped_server_cuts_refuses_and_comes_back(client: httpx.AsyncClient) -> None:
    async with ScriptedModelServer(replies=[Reply("a b", pause=30), Reply("Back.")]) as server:
        url = server.url
        async with client.stream("POST", f"{url}/api/chat", json=asked()) as answer:
            said = answer.aiter_lines()
            assert await anext(said)
            await server.stop()
            with pytest.raises(httpx.RemoteProtocolError):
                await anext(said)
        assert server.open_calls == 0
        assert server.requests[0].disconnected_at is None
        with pytest.raises(httpx.ConnectError):
            await client.get(url)
        await server.start()
        assert server.url == url
        assert "Back." in (await client.post(f"{url}/api/chat", json=asked())).text


async def test_a_key_is_asked_for_everywhere(client: httpx.AsyncClient) -> None:
    async with ScriptedModelServer(key="sesame") as server:
        refused = [await client.get(server.url + path) for path in ("/v1/models", "/api/tags")]
        async with sdk(server, "wrong") as model:
            with pytest.raises(openai.AuthenticationError):
                await model.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Go"}])
        async with sdk(server, "sesame") as model:
            assert await model.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Go"}])
    assert [answer.status_code for answer in refused] == [401, 401]
    assert [answer.json()["error"] for answer in refused][1] == "unauthorized"


def test_a_script_that_cannot_be_played_is_refused() -> None:
    with pytest.raises(ValueError, match="give tool_calls"):
        Reply("x", fault=Fault.CUT_TOOL_CALL)
    with pytest.raises(ValueError, match="not negative"):
        Reply("x", pause=-1)
    with pytest.raises(ValueError, match="no replies"):
        ScriptedModelServer(replies=[])


async def test_the_command_serves_a_fixed_reply(client: httpx.AsyncClient) -> None:
    command = "-m", "agent_gateway.testing.model_server", "--models", "a,b", "--pause", "0.001", "--tokens", "20"
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout
    url = (await process.stdout.readline()).decode().strip()
    said = await lines(client, f"{url}/api/chat", model="b")
    process.send_signal(signal.SIGTERM)
    _, complaints = await process.communicate()
    assert (len(said), said[-1]["eval_count"], said[0]["message"]["content"]) == (21, 20, "word ")
    assert (process.returncode, complaints) == (0, b"")
