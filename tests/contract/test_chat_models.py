"""What every adapter promises, whoever it talks to: chunks, faults, closing."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import json
import socket
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, cast

import pytest
from tests.contract.chat_model_doors import (
    DOORS,
    LOOK_UP,
    NAME,
    SCHEMA,
    Door,
    a_request,
    collect,
    opened,
    read_into,
    text_of,
    until,
)

from agent_gateway.completion import ChatMessage, CompletionChunk, CompletionRequest, Timeouts, ToolRequest, Usage
from agent_gateway.errors import ModelFailed
from agent_gateway.testing import Fault, Reply, ScriptedModelServer

pytestmark = pytest.mark.parametrize("door", DOORS, ids=str)

#: Fault -> the code it gives. Silence is for whoever waits to notice.
FAULTS = {
    Fault.CUT: "model_stream_cut",
    Fault.NO_TERMINAL: "model_stream_cut",
    Fault.CUT_TOOL_CALL: "model_stream_cut",
    Fault.MALFORMED_JSON: "model_malformed",
    Fault.HALF_UTF8: "model_malformed",
    Fault.HUGE_LINE: "model_malformed",
    Fault.WRONG_CONTENT_TYPE: "model_malformed",
    Fault.RATE_LIMIT: "model_rate_limited",
    Fault.RATE_LIMIT_RETRY_AFTER: "model_rate_limited",
    Fault.SERVER_ERROR: "model_overloaded",
    Fault.UNAVAILABLE: "model_overloaded",
    Fault.MODEL_NOT_FOUND: "model_not_found",
    Fault.CONTEXT_TOO_LONG: "model_context_too_long",
    Fault.WRONG_KEY: "model_unauthorized",
    Fault.NO_TOOLS: "model_tools_unsupported",
    Fault.NO_SCHEMA: "model_schema_unsupported",
}
TRANSIENT = {"model_stream_cut", "model_rate_limited", "model_overloaded", "model_unreachable"}
UNFIT = {"model_context_too_long", "model_tools_unsupported", "model_schema_unsupported"}
SILENT = (Fault.BLACK_HOLE, Fault.NO_HEADERS, Fault.NO_FIRST_BYTE, Fault.STALL)
CALLS: tuple[tuple[str, dict[str, str]], ...] = (("look_up", {"thing": "the é pod"}), ("look_up", {}))


async def failure(door: Door, server: ScriptedModelServer, **changes: Any) -> tuple[ModelFailed, list[CompletionChunk]]:
    """Ask with tools and a schema; the error, and what came before it."""
    chunks: list[CompletionChunk] = []
    async with opened(door, server, **changes) as model:
        with pytest.raises(ModelFailed) as caught:
            await read_into(chunks, model.stream(a_request(tools=(LOOK_UP,), schema=SCHEMA)))
    return caught.value, chunks


async def test_an_answer_is_its_pieces_then_its_end_then_its_usage(door: Door) -> None:
    async with opened(door, ScriptedModelServer(replies=[Reply("A pod is small.", usage=(7, 5))])) as model:
        assert await collect(model) == [
            CompletionChunk(text="A"),
            CompletionChunk(text=" pod"),
            CompletionChunk(text=" is"),
            CompletionChunk(text=" small."),
            CompletionChunk(finish="stop"),
            CompletionChunk(usage=Usage(prompt_tokens=7, completion_tokens=5)),
        ]


async def test_usage_that_no_server_counted_is_not_made_up(door: Door) -> None:
    async with opened(door, ScriptedModelServer(replies=[Reply("Yes.", usage=None)])) as model:
        assert await collect(model) == [CompletionChunk(text="Yes."), CompletionChunk(finish="stop")]


async def test_the_reason_of_an_end_is_told(door: Door) -> None:
    async with opened(door, ScriptedModelServer(replies=[Reply("It is", finish="length")])) as model:
        assert [chunk.finish for chunk in await collect(model) if chunk.finish] == ["length"]


async def test_tool_calls_come_whole_with_the_end(door: Door) -> None:
    async with opened(door, ScriptedModelServer(replies=[Reply("Let me see.", tool_calls=CALLS)])) as model:
        chunks = await collect(model, a_request(tools=(LOOK_UP,)))
    (end,) = [chunk for chunk in chunks if chunk.finish or chunk.tool_requests]
    first, second = end.tool_requests
    assert end.finish == "tool_calls"
    assert (first.name, json.loads(first.arguments)) == CALLS[0]
    assert (second.name, second.arguments) == ("look_up", "{}")
    assert first.id
    assert first.id != second.id
    assert text_of(chunks) == "Let me see."


async def test_the_server_gets_what_was_asked(door: Door) -> None:
    server = ScriptedModelServer()
    earlier = ToolRequest(id="call_1", name="look_up", arguments='{"thing": "pod"}')
    broken = ToolRequest(id="call_2", name="look_up", arguments='{"thing": "po')
    messages = (
        ChatMessage(role="system", content="Be brief."),
        ChatMessage(role="user", content="What is a pod?"),
        ChatMessage(role="assistant", tool_requests=(earlier, broken)),
        ChatMessage(role="tool", content="a small thing", tool_call_id="call_1"),
    )
    request = CompletionRequest(messages=messages, tools=(LOOK_UP,), schema=SCHEMA, temperature=0.25, max_tokens=77)
    async with opened(door, server, window=4096) as model:
        await collect(model, request)
    (call,) = server.requests
    body = call.body
    assert (call.model, call.streams, len(body["tools"])) == (NAME, True, 1)
    assert body["tools"][0]["function"]["parameters"] == LOOK_UP.parameters
    assert [message["role"] for message in call.messages] == ["system", "user", "assistant", "tool"]
    assert [message["content"] for message in call.messages] == ["Be brief.", "What is a pod?", "", "a small thing"]
    assert call.messages[3]["tool_call_id"] == "call_1"
    sent = [each["function"]["arguments"] for each in call.messages[2]["tool_calls"]]
    if door.api == "ollama":
        assert body["options"] == {"temperature": 0.25, "num_predict": 77, "num_ctx": 4096}
        assert body["format"] == SCHEMA
        assert sent == [{"thing": "pod"}, {}]
    else:
        assert (body["temperature"], body["max_tokens"]) == (0.25, 77)
        assert body["stream_options"] == {"include_usage": True}
        assert body["response_format"]["json_schema"]["schema"] == SCHEMA
        assert sent == ['{"thing": "pod"}', "{}"]


@pytest.mark.parametrize("fault", [None, Fault.CUT, Fault.SERVER_ERROR, Fault.NO_TOOLS], ids=str)
async def test_nothing_but_the_question_is_asked(door: Door, fault: Fault | None) -> None:
    # LiteLLM knows common models, and asks an Ollama about others.
    server = ScriptedModelServer(["our-own-model"], [Reply("Yes, it is.", fault=fault)])
    async with opened(door, server, name="our-own-model") as model:
        with contextlib.suppress(ModelFailed):
            await collect(model, a_request(tools=(LOOK_UP,), schema=SCHEMA))
    assert (len(server.requests), server.probes) == (1, [])


@pytest.mark.parametrize("split", [1, 7, 1000])
async def test_an_answer_may_be_cut_into_bytes_anywhere(door: Door, split: int) -> None:
    text = "Größe: 5 µm — 日本語 🙂 " * 5
    async with opened(door, ScriptedModelServer(replies=[Reply(text, tool_calls=CALLS, split=split)])) as model:
        chunks = await collect(model)
    assert text_of(chunks) == text
    assert [len(chunk.tool_requests) for chunk in chunks if chunk.finish] == [2]


async def test_text_that_looks_like_an_end_is_text(door: Door) -> None:
    pieces = ["data: [DONE]", "\n\ndata: ", "\u2028\u2029\u0085", '"[DONE]"', "\\[DONE]\\", *["again "] * 150]
    async with opened(door, ScriptedModelServer(replies=[Reply(pieces)])) as model:
        assert text_of(await collect(model)) == "".join(pieces)


async def test_a_second_end_is_ignored(door: Door) -> None:
    reply = Reply("One two.", fault=Fault.TWO_TERMINALS, usage=(1, 2))
    async with opened(door, ScriptedModelServer(replies=[reply])) as model:
        chunks = await collect(model)
    assert [chunk.finish for chunk in chunks if chunk.finish] == ["stop"]
    assert [chunk.usage for chunk in chunks if chunk.usage] == [Usage(prompt_tokens=1, completion_tokens=2)]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_has_its_code(door: Door, fault: Fault) -> None:
    reply = Reply("A pod is small.", tool_calls=CALLS, fault=fault, retry_after=7)
    server = ScriptedModelServer(replies=[reply])
    error, chunks = await failure(door, server)
    assert (error.code, error.transient, error.unfit) == (
        FAULTS[fault],
        FAULTS[fault] in TRANSIENT,
        FAULTS[fault] in UNFIT,
    )
    assert error.retry_after == (7 if fault is Fault.RATE_LIMIT_RETRY_AFTER else None)
    assert f"{door.provider}/{NAME} at {door.address(server)}" in error.detail
    assert not any(chunk.finish for chunk in chunks)
    assert (len(server.requests), server.probes) == (1, [])


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_model_answers_again_after_a_fault(door: Door, fault: Fault) -> None:
    replies = [Reply("A pod is small.", tool_calls=CALLS, fault=fault), Reply("Yes.")]
    async with opened(door, ScriptedModelServer(replies=replies)) as model:
        with pytest.raises(ModelFailed):
            await collect(model, a_request(tools=(LOOK_UP,), schema=SCHEMA))
        assert text_of(await collect(model)) == "Yes."


async def test_a_date_to_come_back_is_understood(door: Door) -> None:
    date = email.utils.formatdate(time.time() + 30, usegmt=True)
    error, _ = await failure(
        door, ScriptedModelServer(replies=[Reply(fault=Fault.RATE_LIMIT_RETRY_AFTER, retry_after=date)])
    )
    assert error.retry_after == pytest.approx(30, abs=2)


async def test_a_server_that_is_not_there_is_unreachable(door: Door) -> None:
    server = ScriptedModelServer()
    async with opened(door, server) as model:
        await server.stop()
        with pytest.raises(ModelFailed) as caught:
            await collect(model)
        assert (caught.value.code, caught.value.transient) == ("model_unreachable", True)
        assert caught.value.detail.endswith("cannot be reached: the connection was refused")
        await server.start()
        assert text_of(await collect(model))


async def test_a_server_that_does_not_accept_is_given_up_in_time(door: Door) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        with socket.create_connection(address):
            began = time.monotonic()
            model = door.open(f"http://127.0.0.1:{address[1]}/v1", timeouts=Timeouts(connect=0.2))
            with pytest.raises(ModelFailed, match=r"no connection within 0\.2 s") as caught:
                await collect(model)
            await model.close()
    assert caught.value.code == "model_unreachable"
    assert time.monotonic() - began < 2


async def test_a_server_without_tls_is_unreachable_over_tls(door: Door) -> None:
    async with ScriptedModelServer(replies=[Reply(fault=Fault.WRONG_CONTENT_TYPE)]) as server:
        address = door.address(server).replace("http:", "https:")
        model = door.open(address, timeouts=Timeouts(connect=0.3))
        with pytest.raises(ModelFailed) as caught:
            await collect(model)
        await model.close()
    assert caught.value.code == "model_unreachable"


async def test_the_key_is_shown_and_read_anew(door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = tmp_path / "key"
    key.write_text("first-key\n")
    server = ScriptedModelServer(replies=[Reply("Yes.")], key="second-key")
    async with opened(door, server, key_file=str(key)) as model:
        with pytest.raises(ModelFailed) as caught:
            await collect(model)
        assert caught.value.code == "model_unauthorized"
        assert "first-key" not in str(caught.value)
        key.write_text("second-key\n")
        assert text_of(await collect(model)) == "Yes."
        key.unlink()
        with pytest.raises(ModelFailed, match="is missing") as caught:
            await collect(model)
        assert caught.value.code == "model_key_missing"
    assert len(server.requests) == 2
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    async with opened(door, ScriptedModelServer(), key_env="NO_SUCH_KEY") as model:
        with pytest.raises(ModelFailed, match="NO_SUCH_KEY"):
            await collect(model)


@pytest.mark.parametrize("fault", [*SILENT, None], ids=str)
async def test_the_server_notices_at_once_when_the_caller_goes(door: Door, fault: Fault | None) -> None:
    server = ScriptedModelServer(replies=[Reply(["word "] * 100, pause=0.2, fault=fault)])
    async with opened(door, server) as model:
        stream = cast("AsyncGenerator[CompletionChunk, None]", model.stream(a_request()))
        if fault in {None, Fault.STALL}:
            assert (await anext(stream)).text
        asking = asyncio.ensure_future(anext(stream))
        await until(lambda: server.open_calls)
        await asyncio.sleep(0.05)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await until(lambda: not server._connections)
        assert server.open_calls == 0


async def test_an_answer_that_is_not_read_on_is_closed_with_its_iterator(door: Door) -> None:
    server = ScriptedModelServer(replies=[Reply(["word "] * 100, pause=0.2)])
    async with opened(door, server) as model:
        stream = cast("AsyncGenerator[CompletionChunk, None]", model.stream(a_request()))
        await anext(stream)
        await stream.aclose()
        await until(lambda: server.requests[0].disconnected_at)


async def test_closing_a_model_cuts_what_still_streams(door: Door) -> None:
    async with opened(door, ScriptedModelServer(replies=[Reply(["word "] * 100, pause=0.2)])) as model:
        stream = model.stream(a_request())
        await anext(stream)
        reading = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.05)
        await model.close()
        with pytest.raises(ModelFailed) as caught:
            await asyncio.wait_for(reading, 1)
        assert caught.value.code == "model_stream_cut"
        with pytest.raises(ModelFailed, match="closed"):
            await collect(model)


async def test_a_connection_serves_one_call_after_the_other(door: Door) -> None:
    server = ScriptedModelServer(replies=[Reply("Yes.")])
    async with opened(door, server) as model:
        for _ in range(3):
            await collect(model)
            assert len(server._connections) == 1


async def test_many_calls_run_at_once(door: Door) -> None:
    server = ScriptedModelServer(replies=lambda call: Reply(f"echo {call.messages[0]['content']}", pause=0.02))
    async with opened(door, server, concurrency=2) as model:
        answers = await asyncio.gather(*(collect(model, a_request(f"number {number}")) for number in range(12)))
        await until(lambda: len(server._connections) <= 2)
    assert [text_of(chunks) for chunks in answers] == [f"echo number {number}" for number in range(12)]
