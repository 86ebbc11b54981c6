"""A model behind LiteLLM, whichever of its providers that is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import httpx
from openai import AsyncOpenAI

from agent_gateway.completion import CompletionChunk, CompletionRequest, ModelSpec, Usage
from agent_gateway.models.failures import stream_cut, unreachable
from agent_gateway.models.keys import read_key
from agent_gateway.models.litellm_failures import RAISED, failure_of
from agent_gateway.models.litellm_import import AsyncHTTPHandler, litellm
from agent_gateway.models.litellm_transport import ModelTransport
from agent_gateway.models.openai_wire import ToolRequests, finish_of, write_format, write_messages, write_tool

_OLLAMA = frozenset({"ollama_chat", "ollama"})
#: Providers that LiteLLM reaches over its own HTTP client, or OpenAI's; either may be given to it. For others it has
#: clients of its own, whose answers are not looked at on the wire.
_OVER_HTTP = frozenset({"ollama_chat", "hosted_vllm"})
_OVER_OPENAI = frozenset({"openai", "custom_openai", "lm_studio", "llamafile", "docker_model_runner", "xinference"})
#: Those for which a transport can be given.
REHEARSED = _OVER_HTTP | _OVER_OPENAI


class LitellmChatModel:
    """Implements `ChatModel` over `litellm.acompletion`; `transport` instead of connections to the spec's address."""

    def __init__(self, spec: ModelSpec, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._spec = spec
        self._transport = transport
        self._handler: AsyncHTTPHandler | None = None
        self._closed = False
        if transport is None and spec.provider in REHEARSED:
            self._transport = ModelTransport(spec, ollama=spec.provider in _OLLAMA)
        if spec.provider in _OVER_HTTP:
            self._handler = AsyncHTTPHandler(transport=self._transport, follow_redirects=False)

    async def stream(self, request: CompletionRequest) -> AsyncIterator[CompletionChunk]:
        """Stream an answer; see `ChatModel.stream`."""
        if self._closed:
            raise unreachable(self._spec, ConnectionError("it was closed"))
        arguments = self._write(request)
        answer = Answer(whole_calls=self._spec.provider in _OLLAMA)
        try:
            stream = await litellm.acompletion(**arguments)
        except RAISED as error:
            raise failure_of(self._spec, error, begun=False) from error
        try:
            while not answer.finished:
                text = answer.take(await self._next(stream, begun=answer.begun))
                if text:
                    yield CompletionChunk(text=text)
            if stream.received_finish_reason is None:
                # LiteLLM makes up a reason for an answer without an end.
                raise stream_cut(self._spec)
            yield answer.ending(stream.received_finish_reason)
            usage = await self._usage(stream)
            if usage is not None:
                yield CompletionChunk(usage=usage)
        finally:
            await stream.aclose()

    async def close(self) -> None:
        """Close all connections; those of providers with a client of their own are LiteLLM's."""
        self._closed = True
        if isinstance(self._transport, ModelTransport):
            await self._transport.close_connections()

    def _write(self, request: CompletionRequest) -> dict[str, Any]:
        spec = self._spec
        arguments: dict[str, Any] = {
            "model": spec.model,
            "messages": write_messages(request.messages),
            "temperature": request.temperature,
            "max_tokens": request.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
            "api_key": read_key(spec),
            "timeout": httpx.Timeout(None, connect=spec.timeouts.connect),
            "num_retries": 0,
            "max_retries": 0,
        }
        if spec.address:
            arguments["api_base"] = spec.address
        if self._transport is not None:
            arguments["client"] = self._client(self._transport, arguments["api_key"])
        if spec.provider in _OLLAMA:
            # Else Ollama takes its own default, and cuts the beginning of what is longer without a word.
            arguments["num_ctx"] = spec.window
        if request.tools:
            # Nor look whether they are MCP's, for which LiteLLM imports its whole proxy.
            arguments["_skip_mcp_handler"] = True
            arguments["tools"] = [write_tool(tool) for tool in request.tools]
        if request.schema is not None:
            arguments["response_format"] = write_format(request.schema)
        return arguments

    def _client(self, transport: httpx.AsyncBaseTransport, key: str | None) -> AsyncHTTPHandler | AsyncOpenAI:
        """What LiteLLM sends the call with; connections are the transport's, and outlive it."""
        if self._handler is not None:
            return self._handler
        client = httpx.AsyncClient(transport=transport, trust_env=False)
        address = self._spec.address or None
        # A server without keys is shown one all the same: OpenAI's library insists.
        return AsyncOpenAI(api_key=key or "none", base_url=address, http_client=client, max_retries=0)

    async def _next(self, stream: litellm.CustomStreamWrapper, *, begun: bool) -> Any:
        try:
            return await anext(stream)
        except StopAsyncIteration:
            raise stream_cut(self._spec) from None
        except RAISED as error:
            raise failure_of(self._spec, error, begun=begun) from error

    async def _usage(self, stream: litellm.CustomStreamWrapper) -> Usage | None:
        """What the server counted: with the last piece or after it. LiteLLM's own guesses are not asked for."""
        found = [getattr(chunk, "usage", None) for chunk in stream.chunks[-2:]]
        try:
            rest = [raw async for raw in stream.completion_stream]
        except RAISED as error:
            raise failure_of(self._spec, error, begun=True) from error
        found += [raw.get("usage") if isinstance(raw, Mapping) else getattr(raw, "usage", None) for raw in rest]
        return usage_of(found)


class Answer:
    """What has come of one answer. `finished` once a reason for its end was given.

    `whole_calls`: tool calls come in one piece each, as Ollama sends them, and their indices mean nothing.
    """

    def __init__(self, *, whole_calls: bool) -> None:
        self._calls = ToolRequests()
        self._whole_calls = whole_calls
        self.begun = False
        self.finished = False

    def take(self, chunk: Any) -> str:
        """Take a piece in; its text."""
        self.begun = True
        choice = chunk.choices[0] if chunk.choices else None
        if choice is None:
            return ""
        for delta in choice.delta.tool_calls or ():
            function = delta.function
            index = len(self._calls) if self._whole_calls else delta.index
            self._calls.add(index, delta.id or "", function.name or "", function.arguments or "")
        self.finished = choice.finish_reason is not None
        return choice.delta.content or ""

    def ending(self, reason: str) -> CompletionChunk:
        """The piece that ends the answer."""
        calls = self._calls.whole()
        return CompletionChunk(finish=finish_of(reason, calls), tool_requests=calls)


def usage_of(found: Sequence[Any]) -> Usage | None:
    """The last usage that was found, an object or a mapping."""
    for usage in reversed(found):
        if not usage:
            continue
        counts = usage if isinstance(usage, Mapping) else vars(usage)
        return Usage(
            prompt_tokens=counts.get("prompt_tokens") or 0, completion_tokens=counts.get("completion_tokens") or 0
        )
    return None
