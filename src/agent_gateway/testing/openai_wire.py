"""OpenAI's chat completions as vLLM serves them: chunks, documents, errors and the list of models."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.json import encode

from agent_gateway.testing.model_replies import Fault, ModelCall, Reply
from agent_gateway.testing.model_scripts import Script

#: Characters of a tool call's arguments in one chunk.
ARGUMENTS_PIECE = 8
TOO_LONG = (
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4000 in the messages, "
    "1000 in the completion). Please reduce the length of the messages or completion."
)
NO_FORMAT = "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."
#: Status, type, code and message: vLLM's where it has the error (the code is the status), else OpenAI's or Ollama's.
REFUSALS: dict[Fault, tuple[int, str, str | int | None, str]] = {
    Fault.RATE_LIMIT: (429, "requests", "rate_limit_exceeded", "Rate limit reached for requests"),
    Fault.RATE_LIMIT_RETRY_AFTER: (429, "requests", "rate_limit_exceeded", "Rate limit reached for requests"),
    Fault.SERVER_ERROR: (500, "InternalServerError", 500, "EngineCore encountered an issue."),
    Fault.UNAVAILABLE: (503, "server_error", None, "The engine is currently overloaded, please try again later"),
    Fault.MODEL_NOT_FOUND: (404, "NotFoundError", 404, "The model `{model}` does not exist."),
    Fault.CONTEXT_TOO_LONG: (400, "BadRequestError", 400, TOO_LONG),
    Fault.WRONG_KEY: (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    Fault.NO_TOOLS: (400, "invalid_request_error", None, "registry.ollama.ai/library/{model} does not support tools"),
    Fault.NO_SCHEMA: (400, "invalid_request_error", None, NO_FORMAT),
}


def write_error(status: int, kind: str, code: str | int | None, message: str) -> Script:
    """An error in OpenAI's form."""
    body = encode({"error": {"message": message, "type": kind, "param": None, "code": code}})
    return Script([body], status=status, length=len(body))


def list_models(models: Sequence[str], window: int) -> dict[str, Any]:
    """The answer to `GET /v1/models`."""
    kept = {"object": "model", "created": int(time.time()), "owned_by": "vllm", "parent": None, "max_model_len": window}
    return {"object": "list", "data": [{"id": model, "root": model, **kept} for model in models]}


class OpenAIWire:
    """Writes the answer to one call; implements `Wire`."""

    stream_type = "text/event-stream; charset=utf-8"
    separator = b"\n\n"

    def __init__(self, call: ModelCall) -> None:
        self._about = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": call.model}
        self._says_usage = bool((call.body.get("stream_options") or {}).get("include_usage"))
        self._head = b"data: " + encode({"object": "chat.completion.chunk", **self._about})[:-1] + b',"choices":['

    def opening(self) -> bytes:
        """The chunk with the role."""
        return self._chunk({"role": "assistant", "content": ""})

    def piece(self, text: str) -> bytes:
        """A chunk with text."""
        return self._chunk({"content": text})

    def call_pieces(self, calls: Sequence[tuple[str, Mapping[str, Any] | str]]) -> list[bytes]:
        """For each call a chunk with its name, and then its arguments in pieces."""
        pieces = []
        for index, (name, arguments) in enumerate(calls):
            text = written(arguments)
            pieces.append(self._call_head(index, name))
            pieces += [
                self._call_arguments(index, text[start : start + ARGUMENTS_PIECE])
                for start in range(0, len(text), ARGUMENTS_PIECE)
            ]
        return pieces

    def cut_call(self, name: str, arguments: Mapping[str, Any] | str) -> bytes:
        """The chunk with the name, and one with the first half of the arguments."""
        text = written(arguments)
        return self._call_head(0, name) + self._call_arguments(0, text[: len(text) // 2])

    def closing(self, finish: str, usage: tuple[int, int] | None) -> bytes:
        """The chunk with the reason, the one with the usage if it was asked for, and the last line."""
        closing = self._chunk({}, finish)
        if usage and self._says_usage:
            closing += self._head + b'],"usage":' + encode(usage_of(usage)) + b"}\n\n"
        return closing + b"data: [DONE]\n\n"

    def document(self, reply: Reply, finish: str | None, usage: tuple[int, int] | None) -> bytes:
        """A whole completion."""
        message: dict[str, Any] = {"role": "assistant", "content": reply.whole_text or None}
        if reply.tool_calls:
            message["tool_calls"] = [
                {"id": new_call_id(), "type": "function", "function": {"name": name, "arguments": written(arguments)}}
                for name, arguments in reply.tool_calls
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
        document = {"object": "chat.completion", **self._about, "choices": [choice]}
        return encode(document | ({"usage": usage_of(usage)} if usage else {}))

    def refusal(self, fault: Fault) -> Script:
        """The answer to a request that is refused."""
        status, kind, code, message = REFUSALS[fault]
        return write_error(status, kind, code, message.replace("{model}", str(self._about["model"])))

    def problem(self, status: int, message: str) -> Script:
        """The answer to a request that is wrong."""
        return write_error(status, "BadRequestError", status, message)

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        shown = b'{"index":0,"delta":' + encode(delta) + b',"logprobs":null,"finish_reason":' + encode(finish)
        return self._head + shown + b"}]}\n\n"

    def _call_head(self, index: int, name: str) -> bytes:
        function = {"name": name, "arguments": ""}
        return self._chunk(
            {"tool_calls": [{"index": index, "id": new_call_id(), "type": "function", "function": function}]}
        )

    def _call_arguments(self, index: int, text: str) -> bytes:
        return self._chunk({"tool_calls": [{"index": index, "function": {"arguments": text}}]})


def written(arguments: Mapping[str, Any] | str) -> str:
    """Arguments as text."""
    return arguments if isinstance(arguments, str) else encode(arguments).decode()


def usage_of(usage: tuple[int, int]) -> dict[str, int]:
    """Tokens as OpenAI names them."""
    return {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}


def new_call_id() -> str:
    """An id for a tool call."""
    return f"call_{uuid.uuid4().hex[:24]}"
