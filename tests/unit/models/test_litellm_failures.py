"""Errors of providers whose answers are not looked at on the wire, as LiteLLM raises them."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import openai
import pytest

from agent_gateway.completion import ModelSpec
from agent_gateway.errors import ModelFailed
from agent_gateway.models.litellm_failures import failure_of
from agent_gateway.models.litellm_import import BaseLLMException, litellm

SPEC = ModelSpec(model="anthropic/some-model", address="")
REQUEST = httpx.Request("POST", "http://127.0.0.1/v1/messages")


def answer(status: int, body: str = "", **headers: str) -> httpx.Response:
    return httpx.Response(status, text=body, headers=headers, request=REQUEST)


def wrapped(error: BaseException) -> BaseException:
    """As LiteLLM wraps the error of a stream: mapped to one with a status of its own, and that wrapped again."""
    mapped = litellm.InternalServerError(message=f"litellm: {error}", llm_provider="anthropic", model="m")
    mapped.__context__ = error
    outer: BaseException = litellm.exceptions.MidStreamFallbackError(
        message="m", model="m", llm_provider="anthropic", original_exception=mapped
    )
    return outer


@pytest.mark.parametrize("wrap", [lambda error: error, wrapped], ids=["plain", "wrapped"])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BaseLLMException(429, '{"error": "slow down"}'), "model_rate_limited"),
        (BaseLLMException(404, "no such model"), "model_not_found"),
        (openai.BadRequestError("no", response=answer(400, "prompt is too long"), body=None), "model_context_too_long"),
        (openai.InternalServerError("no", response=answer(503), body=None), "model_overloaded"),
        (openai.APIConnectionError(request=REQUEST), "model_unreachable"),
        (httpx.ConnectError("All connection attempts failed"), "model_unreachable"),
        (json.JSONDecodeError("Expecting value", "nope", 0), "model_malformed"),
        (ModelFailed("told on the wire", code="model_told"), "model_told"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else "",
)
def test_what_is_innermost_counts(wrap: Callable[[BaseException], BaseException], error: Exception, code: str) -> None:
    assert failure_of(SPEC, wrap(error), begun=False).code == code


def test_a_synthesized_status_is_none() -> None:
    error = BaseLLMException(500, "Connection error.", status_code_is_synthesized=True)
    assert failure_of(SPEC, error, begun=False).code == "model_unreachable"
    assert failure_of(SPEC, error, begun=True).code == "model_stream_cut"


def test_the_servers_words_and_its_time_to_wait_are_kept() -> None:
    response = answer(429, '{"error": {"message": "busy until noon"}}', **{"retry-after": "9"})
    error = failure_of(SPEC, openai.RateLimitError("Error code: 429", response=response, body=None), begun=False)
    assert (error.retry_after, error.detail) == (9, "anthropic/some-model has too many requests: busy until noon")


def test_a_window_that_litellm_knows_to_be_exceeded_is() -> None:
    error = litellm.ContextWindowExceededError(message="too much", model="m", llm_provider="anthropic")
    assert failure_of(SPEC, error, begun=False).code == "model_context_too_long"
