"""Ollama's own API: lines and documents of `/api/chat`, errors, and what it tells of its models."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.json import encode

from agent_gateway.testing.model_replies import Fault, ModelCall, Reply
from agent_gateway.testing.model_scripts import JSON, Script

#: Status and message.
REFUSALS: dict[Fault, tuple[int, str]] = {
    Fault.RATE_LIMIT: (429, "too many requests"),
    Fault.RATE_LIMIT_RETRY_AFTER: (429, "too many requests"),
    Fault.SERVER_ERROR: (500, "llama runner process has terminated: exit status 2"),
    Fault.UNAVAILABLE: (503, "server busy, please try again.  maximum pending requests exceeded"),
    Fault.MODEL_NOT_FOUND: (404, "model '{model}' not found"),
    Fault.CONTEXT_TOO_LONG: (400, "the input length exceeds the context length"),
    Fault.WRONG_KEY: (401, "unauthorized"),
    Fault.NO_TOOLS: (400, "registry.ollama.ai/library/{model} does not support tools"),
    # What a version without structured outputs says of a schema.
    Fault.NO_SCHEMA: (400, "json: cannot unmarshal object into Go struct field ChatRequest.format of type string"),
}
#: Nanoseconds that a token is said to have taken.
TOKEN_NANOSECONDS = 10_000_000
DETAILS = {
    "parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"], "parameter_size": "8.0B",
    "quantization_level": "Q4_0",
}  # fmt: skip


def list_tags(models: Sequence[str]) -> dict[str, Any]:
    """The answer to `GET /api/tags`."""
    return {
        "models": [
            {
                "name": model, "model": model, "modified_at": now(), "size": 4_661_224_676,
                "digest": hashlib.sha256(model.encode()).hexdigest(), "details": DETAILS,
            }
            for model in models
        ]
    }  # fmt: skip


def describe_model(window: int, capabilities: Sequence[str]) -> dict[str, Any]:
    """The answer to `POST /api/show`. A template of a model with tools names them, and clients look for that."""
    tools = "{{ if .Tools }}{{ .Tools }}{{ end }}" if "tools" in capabilities else ""
    return {
        "license": "", "modelfile": "", "parameters": "", "template": tools + "{{ .System }} {{ .Prompt }}",
        "details": DETAILS, "capabilities": list(capabilities), "modified_at": now(),
        "model_info": {
            "general.architecture": "llama", "general.parameter_count": 8_030_261_248, "llama.context_length": window,
            "llama.embedding_length": 4096,
        },
    }  # fmt: skip


class OllamaWire:
    """Writes the answer to one call; implements `Wire`."""

    stream_type = "application/x-ndjson"
    separator = b"\n"

    def __init__(self, call: ModelCall) -> None:
        self._about = {"model": call.model, "created_at": now()}
        self._head = encode(self._about)[:-1] + b',"message":'

    def opening(self) -> bytes:
        """Nothing: the role is in every line."""
        return b""

    def piece(self, text: str) -> bytes:
        """A line with text."""
        return self._line({"role": "assistant", "content": text})

    def call_pieces(self, calls: Sequence[tuple[str, Mapping[str, Any] | str]]) -> list[bytes]:
        """A line for each call, which is whole."""
        return [self._line({"role": "assistant", "content": "", "tool_calls": written([call])}) for call in calls]

    def cut_call(self, name: str, arguments: Mapping[str, Any] | str) -> bytes:
        """A line that ends in the middle of the arguments."""
        (call,) = written([(name, arguments)])
        (line,) = self.call_pieces([(name, arguments)])
        start = line.index(b'"arguments":') + len(b'"arguments":')
        return line[: start + len(encode(call["function"]["arguments"])) // 2]

    def closing(self, finish: str, usage: tuple[int, int] | None) -> bytes:
        """The line that says the answer is done, and how many tokens it took."""
        message = {"role": "assistant", "content": ""}
        return encode(self._about | {"message": message} | done(finish, usage)) + b"\n"

    def document(self, reply: Reply, finish: str | None, usage: tuple[int, int] | None) -> bytes:
        """A whole answer."""
        message: dict[str, Any] = {"role": "assistant", "content": reply.whole_text}
        if reply.tool_calls:
            message["tool_calls"] = written(reply.tool_calls)
        ending = done(finish, usage) if finish else {"done": False}
        return encode(self._about | {"message": message} | ending)

    def refusal(self, fault: Fault) -> Script:
        """The answer to a request that is refused."""
        status, message = REFUSALS[fault]
        return self.problem(status, message.replace("{model}", self._about["model"]))

    def problem(self, status: int, message: str) -> Script:
        """The answer to a request that is wrong."""
        body = encode({"error": message})
        return Script([body], content_type=f"{JSON}; charset=utf-8", status=status, length=len(body))

    def _line(self, message: dict[str, Any]) -> bytes:
        return self._head + encode(message) + b',"done":false}\n'


def written(calls: Sequence[tuple[str, Mapping[str, Any] | str]]) -> list[dict[str, Any]]:
    """Tool calls as Ollama sends them: arguments are an object, or text where the script has no object."""
    return [{"function": {"name": name, "arguments": parsed(arguments)}} for name, arguments in calls]


def parsed(arguments: Mapping[str, Any] | str) -> Mapping[str, Any] | str:
    """Arguments as an object if they are one."""
    if isinstance(arguments, str):
        try:
            return msgspec.json.decode(arguments, type=dict[str, Any])
        except msgspec.DecodeError:
            return arguments
    return arguments


def done(finish: str, usage: tuple[int, int] | None) -> dict[str, Any]:
    """What ends an answer. Ollama has no reason of its own for tool calls."""
    ending: dict[str, Any] = {"done_reason": "stop" if finish == "tool_calls" else finish, "done": True}
    asked, said = usage or (0, 0)
    counts = {"prompt_eval_count": asked, "eval_count": said} if usage else {}
    durations = {
        "total_duration": (asked + said + 1) * TOKEN_NANOSECONDS, "load_duration": TOKEN_NANOSECONDS,
        "prompt_eval_duration": asked * TOKEN_NANOSECONDS, "eval_duration": said * TOKEN_NANOSECONDS,
    }  # fmt: skip
    return ending | durations | counts


def now() -> str:
    """The time as Ollama writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
