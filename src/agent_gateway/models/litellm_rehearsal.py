"""One call of LiteLLM that reaches nobody, so that the first real one does not stop the event loop for a second.

LiteLLM imports and builds at its first use what a provider needs. The answer of this call is discarded.
"""

from __future__ import annotations

import asyncio
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import httpx
import msgspec

from agent_gateway.completion import ChatMessage, CompletionRequest, ModelSpec
from agent_gateway.errors import ModelFailed
from agent_gateway.models.litellm_chat_model import REHEARSED, LitellmChatModel

_ADDRESS = "http://127.0.0.1"
_REQUEST = CompletionRequest(messages=(ChatMessage(role="user", content="-"),), max_tokens=1)
_OLLAMA = (
    {"model": "-", "message": {"role": "assistant", "content": "-"}, "done": False},
    {"model": "-", "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"},
)
_OPENAI = (
    {"id": "-", "object": "chat.completion.chunk", "created": 0, "model": "-",
     "choices": [{"index": 0, "delta": {"role": "assistant", "content": "-"}, "finish_reason": None}]},
    {"id": "-", "object": "chat.completion.chunk", "created": 0, "model": "-",
     "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
)  # fmt: skip


class _NobodyThere(httpx.AsyncBaseTransport):
    """Answers without a connection, as a server of either protocol would."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The shortest answer there is."""
        if request.url.path.endswith("/api/chat"):
            body = b"".join(msgspec.json.encode(each) + b"\n" for each in _OLLAMA)
            return httpx.Response(200, headers={"content-type": "application/x-ndjson"}, content=body)
        body = b"".join(b"data: " + msgspec.json.encode(each) + b"\n\n" for each in _OPENAI) + b"data: [DONE]\n\n"
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=body)


def rehearse(provider: str) -> None:
    """Do it, once in a process for each provider; takes a second, so not while an event loop waits."""
    if provider in REHEARSED:
        _rehearse(provider)


@cache
def _rehearse(provider: str) -> None:
    with warnings.catch_warnings():
        # What LiteLLM's own models say while they are built is nobody's business here.
        warnings.simplefilter("ignore")
        # A loop of its own needs a thread of its own.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _call(provider)).result()


async def _call(provider: str) -> None:
    chat = LitellmChatModel(ModelSpec(model=f"{provider}/-", address=_ADDRESS), _NobodyThere())
    try:
        async for _ in chat.stream(_REQUEST):
            pass
    except ModelFailed:
        # Then the first real call loads what this one did not; it says what is wrong, too.
        return
    finally:
        await chat.close()
