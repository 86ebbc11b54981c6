"""OpenAI's chat completions as bytes: a request written, the lines of its stream read."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from agent_gateway.completion import (
    ChatMessage,
    CompletionChunk,
    CompletionRequest,
    Finish,
    FunctionSchema,
    ModelSpec,
    ToolRequest,
    Usage,
)
from agent_gateway.models.failures import malformed, reported, stream_cut

#: Reasons as servers give them. Others are taken for `stop`: the answer is whole, whatever they mean.
_FINISHES: Mapping[str, Finish] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
#: Reasons that mean there is no whole answer.
_ABORTED = frozenset({"abort", "aborted", "error", "cancelled"})
#: More tool calls than this in one answer are a model that has lost its way.
MOST_TOOL_CALLS = 128
_DATA = b"data:"
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Function(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _ToolDelta(msgspec.Struct, gc=False):
    index: int = 0
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct, gc=False):
    content: str | None = None
    tool_calls: list[_ToolDelta] | None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Counts(msgspec.Struct, gc=False):
    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: _Counts | None = None
    error: Any = None


_decode = msgspec.json.Decoder(_Chunk).decode


def write_request(model: str, request: CompletionRequest) -> dict[str, Any]:
    """The body of a request for a stream."""
    body: dict[str, Any] = {
        "model": model,
        "messages": write_messages(request.messages),
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.tools:
        body["tools"] = [write_tool(tool) for tool in request.tools]
    if request.schema is not None:
        body["response_format"] = write_format(request.schema)
    return body


def write_messages(messages: tuple[ChatMessage, ...]) -> list[dict[str, Any]]:
    """A conversation in OpenAI's form."""
    return [_write_message(message) for message in messages]


def _write_message(message: ChatMessage) -> dict[str, Any]:
    written: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_requests:
        written["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": readable(call.arguments)}}
            for call in message.tool_requests
        ]
    if message.tool_call_id:
        written["tool_call_id"] = message.tool_call_id
    return written


def readable(arguments: str) -> str:
    """Arguments as they may be shown to a server again: many refuse a conversation in which some are no object."""
    try:
        msgspec.json.decode(arguments, type=dict[str, Any])
    except _BROKEN:
        return "{}"
    return arguments


def write_tool(tool: FunctionSchema) -> dict[str, Any]:
    """A tool in OpenAI's form."""
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


def write_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The request for an answer that follows a schema.

    Not `strict`: servers that follow schemas at all ignore that, and OpenAI's refuses most schemas because of it.
    """
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": dict(schema)}}


class ToolRequests:
    """Tool calls, put together from the pieces in which they come."""

    def __init__(self) -> None:
        self._calls: list[list[str]] = []
        self._places: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, index: int, call_id: str, name: str, arguments: str) -> None:
        """Add a piece to the call with this index.

        Another id begins another call: some servers send whole calls that all have index 0.
        """
        place = self._places.get(index)
        if place is None or (call_id and self._calls[place][0] not in {"", call_id}):
            place = self._places[index] = len(self._calls)
            self._calls.append([call_id, name, arguments])
            return
        call = self._calls[place]
        call[0] = call[0] or call_id
        call[1] = call[1] or name
        call[2] += arguments

    def whole(self) -> tuple[ToolRequest, ...]:
        """All calls; one without an id is given one."""
        return tuple(
            ToolRequest(id=call_id or f"call_{uuid.uuid4().hex[:24]}", name=name, arguments=arguments or "{}")
            for call_id, name, arguments in self._calls
        )


class ChunkReader:
    """Reads the lines of one stream; `done` once the last has come. `ModelFailed` for what is no such line."""

    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        self._calls = ToolRequests()
        self._counted = False
        self.finished = False
        self.done = False

    def read(self, line: bytes) -> CompletionChunk | None:
        """The chunk of a line, None when it holds nothing that is to be passed on."""
        try:
            return self._parse(line)
        except _BROKEN as error:
            raise malformed(self._spec, str(error)) from error

    def end(self, tail: bytes) -> CompletionChunk | None:
        """Take what came after the last line, and the end of the stream; `ModelFailed` when the answer has none."""
        try:
            tail.decode()
        except UnicodeDecodeError as error:
            raise malformed(self._spec, str(error)) from error
        try:
            chunk = self._parse(tail.rstrip())
        except _BROKEN as error:
            raise stream_cut(self._spec) from error
        if not self.finished:
            raise stream_cut(self._spec)
        self.done = True
        return chunk

    def _parse(self, line: bytes) -> CompletionChunk | None:
        if self.done:
            return None
        if line.startswith(_DATA):
            data = line[5:].strip()
        elif line.startswith(b"{"):
            # Errors come without their field from some servers.
            data = line
        else:
            return None
        if data == b"[DONE]":
            if not self.finished:
                raise stream_cut(self._spec)
            self.done = True
            return None
        chunk = _decode(data)
        if chunk.error:
            raise reported(self._spec, chunk.error)
        return self._take(chunk)

    def _take(self, chunk: _Chunk) -> CompletionChunk | None:
        choice = chunk.choices[0] if chunk.choices else None
        if self.finished or choice is None:
            # What the answer cost comes after its end, in a chunk of its own.
            usage = self._count(chunk.usage) if self.finished else None
            return CompletionChunk(usage=usage) if usage is not None else None
        delta = choice.delta
        text = ""
        if delta is not None:
            text = delta.content or ""
            if delta.tool_calls:
                self._collect(delta.tool_calls)
        if choice.finish_reason is not None:
            return self._finish(text, choice.finish_reason, chunk.usage)
        return CompletionChunk(text=text) if text else None

    def _count(self, counts: _Counts | None) -> Usage | None:
        """The usage, once."""
        if counts is None or self._counted:
            return None
        self._counted = True
        return Usage(prompt_tokens=counts.prompt_tokens or 0, completion_tokens=counts.completion_tokens or 0)

    def _finish(self, text: str, reason: str, counts: _Counts | None) -> CompletionChunk:
        if reason in _ABORTED:
            raise stream_cut(self._spec, f"its server says '{reason}'")
        self.finished = True
        calls = self._calls.whole()
        return CompletionChunk(
            text=text, finish=finish_of(reason, calls), tool_requests=calls, usage=self._count(counts)
        )

    def _collect(self, deltas: list[_ToolDelta]) -> None:
        for delta in deltas:
            function = delta.function or _Function()
            arguments = function.arguments or ""
            text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
            self._calls.add(delta.index, delta.id or "", function.name or "", text)
        if len(self._calls) > MOST_TOOL_CALLS:
            raise malformed(self._spec, f"more than {MOST_TOOL_CALLS} tool calls")


def finish_of(reason: str, calls: tuple[ToolRequest, ...]) -> Finish:
    """The reason as the gateway knows it; servers say `stop` after tool calls, too."""
    finish = _FINISHES.get(reason, "stop")
    return "tool_calls" if calls and finish == "stop" else finish
