"""Every way to a model: the adapters, over each API they speak, against scripted servers and, if named, real ones."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from agent_gateway.completion import (
    ChatMessage,
    ChatModel,
    CompletionChunk,
    CompletionRequest,
    FunctionSchema,
    ModelSpec,
    Timeouts,
)
from agent_gateway.models.opening import open_chat_model
from agent_gateway.testing import ScriptedModelServer

NAME = "llama3:8b"
LOOK_UP = FunctionSchema(
    name="look_up",
    description="Look a thing up.",
    parameters={"type": "object", "properties": {"thing": {"type": "string"}}, "required": ["thing"]},
)
SCHEMA: Mapping[str, Any] = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
#: Connections that end take a moment on both sides.
SETTLING_SECONDS = 1.0


@dataclass(frozen=True)
class Door:
    """A way to a model: by a provider's adapter or directly, over OpenAI's API or Ollama's."""

    label: str
    provider: str
    api: str
    direct: bool = False

    def __str__(self) -> str:
        return self.label

    def address(self, server: ScriptedModelServer) -> str:
        """Where the server is, as this way needs it."""
        return server.url if self.api == "ollama" else server.openai_url

    def open(self, address: str, *, name: str = NAME, **changes: Any) -> ChatModel:
        """Open the model."""
        spec = ModelSpec(model=f"{self.provider}/{name}", address=address, direct=self.direct, **changes)
        return open_chat_model(spec, {})


DOORS = (
    Door("direct", "hosted_vllm", "openai", direct=True),
    Door("litellm-hosted_vllm", "hosted_vllm", "openai"),
    Door("litellm-openai", "openai", "openai"),
    Door("litellm-ollama_chat", "ollama_chat", "ollama"),
)


@dataclass(frozen=True)
class RealServer:
    """A real model at a real server, and the way to it."""

    door: Door
    address: str
    name: str

    def __str__(self) -> str:
        return f"{self.door.label}-{self.name}"


def real_servers(environ: Mapping[str, str] = os.environ) -> list[RealServer]:
    """Those the environment names: `AGENT_GATEWAY_TEST_OPENAI_URL` and `_OLLAMA_URL`, each with a `_MODEL` beside."""
    found = []
    for door in DOORS:
        prefix = f"AGENT_GATEWAY_TEST_{door.api.upper()}"
        address, name = environ.get(f"{prefix}_URL"), environ.get(f"{prefix}_MODEL")
        if address and name:
            found.append(RealServer(door, address, name))
    return found


def a_request(text: str = "What is a pod?", **changes: Any) -> CompletionRequest:
    """A question to a model."""
    return CompletionRequest(messages=(ChatMessage(role="user", content=text),), **changes)


@asynccontextmanager
async def opened(
    door: Door, server: ScriptedModelServer, *, connect: float = 2.0, **changes: Any
) -> AsyncIterator[ChatModel]:
    """A model of a scripted server that listens; nothing may be left of it afterwards."""
    before = asyncio.all_tasks()
    async with server:
        model = door.open(door.address(server), timeouts=Timeouts(connect=connect), **changes)
        try:
            yield model
        finally:
            await model.close()
            await until(lambda: not server._connections)
    await until(lambda: not asyncio.all_tasks() - before)


async def until(holds: Any) -> None:
    """Wait a moment for something to become true."""
    async with asyncio.timeout(SETTLING_SECONDS):
        while not holds():  # noqa: ASYNC110 - connections and tasks have no event for their end
            await asyncio.sleep(0.005)


async def collect(model: ChatModel, request: CompletionRequest | None = None) -> list[CompletionChunk]:
    """All chunks of an answer."""
    return [chunk async for chunk in model.stream(request or a_request())]


def text_of(chunks: list[CompletionChunk]) -> str:
    """The text of an answer."""
    return "".join(chunk.text for chunk in chunks)


async def read_into(chunks: list[CompletionChunk], stream: AsyncIterator[CompletionChunk]) -> None:
    """Read a stream, and keep what comes before an error, too."""
    async for chunk in stream:
        chunks.append(chunk)  # noqa: PERF401 - a comprehension would lose them with the error
