"""Lines and chunks as servers send them, read by the direct adapter."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gateway.completion import CompletionChunk, ModelSpec, Usage
from agent_gateway.errors import ModelFailed
from agent_gateway.models.openai_wire import ChunkReader, readable
from agent_gateway.models.sse_lines import LINE_BYTES, LineSplitter, LineTooLong

SPEC = ModelSpec(model="hosted_vllm/m", address="http://127.0.0.1:8000/v1")


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}).encode()


def read(*lines: bytes) -> list[CompletionChunk]:
    reader = ChunkReader(SPEC)
    return [found for line in lines if (found := reader.read(line)) is not None]


def failure(*lines: bytes) -> ModelFailed:
    with pytest.raises(ModelFailed) as caught:
        read(*lines)
    return caught.value


@given(st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), max_size=20), st.data())
def test_lines_are_the_same_wherever_they_are_cut(lines: list[bytes], data: st.DataObject) -> None:
    whole = b"\n".join(lines)
    splitter = LineSplitter()
    found: list[bytes] = []
    while whole:
        cut = data.draw(st.integers(1, len(whole)))
        found += splitter.feed(whole[:cut])
        whole = whole[cut:]
    assert [*found, splitter.tail] == (lines or [b""])


@pytest.mark.parametrize("cut", [1000, LINE_BYTES, 3 * LINE_BYTES])
@pytest.mark.parametrize("ending", [b"", b"\n"])
def test_a_line_is_a_mebibyte_at_most(cut: int, ending: bytes) -> None:
    def feed(length: int) -> list[bytes]:
        splitter = LineSplitter()
        data = b"first\n" + b"x" * length + ending
        return [line for at in range(0, len(data), cut) for line in splitter.feed(data[at : at + cut])]

    assert len(feed(LINE_BYTES)) == 1 + len(ending)
    with pytest.raises(LineTooLong):
        feed(LINE_BYTES + 1)


def test_usage_with_the_end_is_told_with_it_and_not_again() -> None:
    counts = {"prompt_tokens": 3, "completion_tokens": 4}
    assert read(chunk({"content": "Hi"}, usage=counts), chunk({}, "stop", usage=counts), chunk(usage=counts)) == [
        CompletionChunk(text="Hi"),
        CompletionChunk(finish="stop", usage=Usage(prompt_tokens=3, completion_tokens=4)),
    ]


def test_text_and_end_may_come_together() -> None:
    assert read(chunk({"content": "Hi"}, "length")) == [CompletionChunk(text="Hi", finish="length")]


def test_thoughts_are_no_text() -> None:
    assert read(chunk({"reasoning_content": "Hm."}), chunk({"role": "assistant", "content": None}), chunk(None)) == []


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("function_call", "tool_calls"), ("content_filter", "content_filter"), ("eos", "stop"), ("stop", "stop")],
)
def test_reasons_are_translated(reason: str, finish: str) -> None:
    assert [each.finish for each in read(chunk({}, reason))] == [finish]


@pytest.mark.parametrize("reason", ["abort", "error"])
def test_a_server_that_gave_up_gave_no_answer(reason: str) -> None:
    assert failure(chunk({"content": "Hi"}), chunk({}, reason)).code == "model_stream_cut"


def test_whole_calls_with_one_index_are_several() -> None:
    def call(number: int, arguments: Any) -> dict[str, Any]:
        return {"index": 0, "id": f"call_{number}", "function": {"name": "look_up", "arguments": arguments}}

    (end,) = read(
        chunk({"tool_calls": [call(1, '{"a":1}')]}),
        chunk({"tool_calls": [call(2, {"b": 2}), {"index": 0, "function": {"arguments": ""}}]}),
        chunk({}, "stop"),
    )
    assert end.finish == "tool_calls"
    assert [(each.id, each.arguments) for each in end.tool_requests] == [("call_1", '{"a":1}'), ("call_2", '{"b":2}')]


def test_a_call_without_an_id_is_given_one() -> None:
    delta = {"tool_calls": [{"index": 0, "function": {"name": "look_up", "arguments": ""}}]}
    ((request,),) = [end.tool_requests for end in read(chunk(delta), chunk({}, "tool_calls"))]
    assert (request.id[:5], request.arguments) == ("call_", "{}")


def test_calls_without_an_end_in_sight_are_no_answer() -> None:
    delta = {"tool_calls": [{"index": index, "function": {"name": "f"}} for index in range(129)]}
    assert failure(chunk(delta)).code == "model_malformed"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"message": "out of memory", "type": "InternalServerError", "code": 500}, "model_overloaded"),
        ({"message": "maximum context length is 10 tokens", "code": 400}, "model_context_too_long"),
        ({"message": "slow down", "code": 429}, "model_rate_limited"),
        ({"message": "odd", "code": "odd"}, "model_overloaded"),
        ("the model runner ended", "model_overloaded"),
    ],
)
def test_an_error_within_a_stream_is_one(error: Any, code: str) -> None:
    line = json.dumps({"error": error}).encode()
    words = error if isinstance(error, str) else error["message"]
    for written in (b"data: " + line, b"data:" + line, line):
        found = failure(chunk({"content": "Hi"}), written)
        assert found.code == code
        assert words in found.detail


@pytest.mark.parametrize(
    "line",
    [
        b"data: nope",
        b'data: {"choices": 7}',
        b"data: [1]",
        b'data: {"choices":[{"delta":{"content":"\xff"}}]}',
        b"data:",
    ],
)
def test_what_is_no_chunk_is_malformed(line: bytes) -> None:
    assert failure(line).code == "model_malformed"


def test_an_end_of_the_stream_is_no_end_of_the_answer() -> None:
    assert failure(chunk({"content": "Hi"}), b"data: [DONE]").code == "model_stream_cut"


def test_the_last_line_needs_no_line_feed() -> None:
    reader = ChunkReader(SPEC)
    assert reader.end(chunk({}, "stop")) == CompletionChunk(finish="stop")
    assert reader.done


@pytest.mark.parametrize(("arguments", "shown"), [('{"a": 1}', '{"a": 1}'), ("[1]", "{}"), ('{"a', "{}"), ("", "{}")])
def test_arguments_are_shown_again_only_if_they_are_an_object(arguments: str, shown: str) -> None:
    assert readable(arguments) == shown
