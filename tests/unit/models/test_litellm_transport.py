"""Requests that cannot be sent at all."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import httpx
import pytest

from agent_gateway.completion import ChatMessage, CompletionRequest, ModelSpec
from agent_gateway.errors import ModelFailed
from agent_gateway.models.litellm_chat_model import LitellmChatModel
from agent_gateway.models.litellm_transport import ModelTransport

REQUEST = CompletionRequest(messages=(ChatMessage(role="user", content="Is it?"),))


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """End what never lets the event loop look at its own timers, and fail: what rings may be taken for an answer."""
    rung = []

    def ring(signum: int, frame: FrameType | None) -> None:
        rung.append(signum)
        raise TimeoutError(f"the event loop was blocked for {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not rung


async def test_an_address_of_the_environment_that_is_none_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "localhost:8000/v1")
    model = LitellmChatModel(ModelSpec(model="openai/some-model"))
    with alarm(10.0), pytest.raises(ModelFailed, match="cannot be reached") as caught:
        await anext(model.stream(REQUEST))
    await model.close()
    assert caught.value.code == "model_unreachable"


async def test_a_protocol_that_is_not_spoken_is_tried_once() -> None:
    transport = ModelTransport(ModelSpec(model="openai/some-model"), ollama=False)
    with alarm(5.0), pytest.raises(ModelFailed, match="protocol"):
        await transport.handle_async_request(httpx.Request("POST", "gopher://localhost/v1"))
    await transport.close_connections()
