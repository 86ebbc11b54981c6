"""What LiteLLM raises, as the gateway's own error."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
from openai import APIConnectionError, APIStatusError, OpenAIError

from agent_gateway.completion import ModelSpec
from agent_gateway.errors import ModelFailed
from agent_gateway.models.failures import malformed, refused, stream_cut, unreachable
from agent_gateway.models.litellm_import import BaseLLMException, ContextWindowExceededError

#: Everything LiteLLM and the libraries below it raise for a call that did not work.
RAISED = (OpenAIError, BaseLLMException, httpx.HTTPError, ModelFailed, ValueError)


def failure_of(spec: ModelSpec, error: BaseException, *, begun: bool) -> ModelFailed:
    """The error for a call that raised; `begun` when a part of the answer had come.

    What was recognised on the wire is within, under LiteLLM's wrappings.
    """
    chain = list(unwrap(error))
    for inner in chain:
        if isinstance(inner, ModelFailed):
            return inner
    for inner in reversed(chain):
        failure = _recognise(spec, inner)
        if failure is not None:
            return failure
        if isinstance(inner, httpx.TransportError | APIConnectionError):
            break
    return stream_cut(spec, str(chain[-1])) if begun else unreachable(spec, chain[-1])


def _recognise(spec: ModelSpec, error: BaseException) -> ModelFailed | None:
    """The error for what one of these exceptions says by itself."""
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return malformed(spec, str(error))
    status = getattr(error, "status_code", None)
    return _refusal(spec, error, status) if isinstance(status, int) and not _is_invented(error) else None


def unwrap(error: BaseException) -> Iterator[BaseException]:
    """An error and all that it came from, outermost first."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        inner = waiting.pop(0)
        if id(inner) in seen:
            continue
        seen.add(id(inner))
        yield inner
        following = (getattr(inner, "original_exception", None), inner.__cause__, inner.__context__)
        waiting += [each for each in following if isinstance(each, BaseException)]


def _is_invented(error: BaseException) -> bool:
    """Whether its status is LiteLLM's own, for a server that said nothing."""
    return isinstance(error, APIConnectionError) or bool(getattr(error, "status_code_is_synthesized", False))


def _refusal(spec: ModelSpec, error: BaseException, status: int) -> ModelFailed:
    response = getattr(error, "response", None)
    said = str(getattr(error, "message", "") or error)
    if isinstance(error, APIStatusError):
        said = response_text(error.response) or said
    if isinstance(error, ContextWindowExceededError):
        said = f"context length: {said}"
    headers = getattr(response, "headers", None) or {}
    return refused(spec, status, said, str(headers.get("retry-after", "")))


def response_text(response: httpx.Response) -> str:
    """The body of a response, empty if it was not read."""
    try:
        return response.text
    except httpx.StreamError:
        return ""
