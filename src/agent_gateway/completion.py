"""What is said to a language model and what comes back: messages, requests, chunks, usage, and who answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from agent_gateway.messages import Tier

Role = Literal["system", "user", "assistant", "tool"]
#: Why a model stopped: by itself, at `max_tokens`, to have tools called, or because its server filtered the rest.
Finish = Literal["stop", "length", "tool_calls", "content_filter"]
#: How a model is given tools: `native` in the request, `json` by a protocol in the prompt, `none` not at all. `auto`
#: is `json` for Ollama, whose models mostly lack them, and elsewhere `native` until the server refuses that.
ToolMode = Literal["auto", "native", "json", "none"]


class ToolRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call as the model wrote it; `arguments` is its text, JSON if the model was right."""

    id: str
    name: str
    arguments: str


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message to a model. `tool_requests` are an assistant's, `tool_call_id` names what a tool message answers."""

    role: Role
    content: str = ""
    tool_requests: tuple[ToolRequest, ...] = ()
    tool_call_id: str = ""


class FunctionSchema(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as a model is told of it; `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


class CompletionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one call asks of a model. `schema`: the JSON schema the whole answer must follow."""

    messages: tuple[ChatMessage, ...]
    tools: tuple[FunctionSchema, ...] = ()
    schema: Mapping[str, Any] | None = None
    temperature: float = 0.3
    max_tokens: int = 1000


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one or several calls; `estimated` when no server said so and they were counted here. Cost in USD."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    estimated: bool = False


class CompletionChunk(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A piece of a model's answer.

    Exactly one chunk, the last but for one that only has `usage`, says `finish`; it carries all `tool_requests`.
    """

    text: str = ""
    finish: Finish | None = None
    tool_requests: tuple[ToolRequest, ...] = ()
    usage: Usage | None = None


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """USD for a million tokens."""

    input: float = 0.0
    output: float = 0.0


class Timeouts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds: to be connected, until the first piece of an answer, between two pieces, and in the queue before."""

    connect: float = 2.0
    first: float = 30.0
    stall: float = 15.0
    queue: float = 10.0


class ModelSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model at one address, as configured.

    `model` is a LiteLLM id (`ollama_chat/llama3:8b`) or one of a plugin's provider. `address` is a URL, empty for the
    provider's own. The key is never written down: `key_env` names an environment variable, `key_file` a file.
    `window` counts tokens, prompt and answer together; `tokenizer` is the path of a `tokenizer.json`, if there is one.
    `direct`: the address speaks OpenAI's protocol, and the gateway talks to it without LiteLLM.
    """

    model: str
    address: str = ""
    key_env: str = ""
    key_file: str = ""
    window: int = 8192
    max_tokens: int = 1000
    temperature: float = 0.3
    price: Price = Price()
    timeouts: Timeouts = Timeouts()
    concurrency: int = 4
    direct: bool = False
    tools: ToolMode = "auto"
    tokenizer: str = ""

    @property
    def provider(self) -> str:
        """What stands before the first slash: `ollama_chat`, `hosted_vllm`; empty when nothing does."""
        return self.model.partition("/")[0] if "/" in self.model else ""

    @property
    def name(self) -> str:
        """The model as its server calls it."""
        return self.model.partition("/")[2] or self.model


class ChatModel(Protocol):
    """A connection to one model at one address."""

    def stream(self, request: CompletionRequest) -> AsyncIterator[CompletionChunk]:
        """Stream an answer; `ModelFailed` for whatever goes wrong, an answer without a `finish` above all.

        Waits as long as the server takes: time limits are the caller's, who cancels. Nothing is tried again.
        """
        ...

    async def close(self) -> None:
        """Let go of connections; what still streams is cut."""
        ...


class ModelProvider(msgspec.Struct, frozen=True, kw_only=True):
    """What a plugin adds with `register_models`: `connect` opens models whose id begins with `name` and a slash.

    `connect` returns at once; connections are made when the first request comes.
    """

    name: str
    connect: Callable[[ModelSpec], ChatModel]


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The model a request is made for. `count` gives the tokens of a text, rather too many than too few.

    `tools` is `native`, `json` or `none`; `schemas`: whether its server takes a JSON schema for the answer.
    """

    model: str
    tier: Tier
    window: int
    max_tokens: int
    temperature: float
    tools: ToolMode
    schemas: bool
    count: Callable[[str], int]


#: Makes the request for the model whose turn it is: another one has another window and takes tools another way.
RequestBuilder: TypeAlias = Callable[[ModelInfo], CompletionRequest]
