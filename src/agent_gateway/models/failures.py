"""What goes wrong with a model, by what its server said: the same codes and sentences whoever talks to it."""

from __future__ import annotations

import email.utils
import math
import re
import time
from typing import Any

import msgspec

from agent_gateway.completion import ModelSpec
from agent_gateway.errors import ModelFailed
from agent_gateway.models.keys import hide_keys
from agent_gateway.models.naming import subject

#: How many characters of a server's own words are shown.
QUOTED = 200
#: How many bytes of an error's body are read.
ERROR_BYTES = 65_536

_TOO_LONG = re.compile(
    r"context (length|window|size)|context_length|exceed\w* .{0,40}\bcontext|maximum (model|sequence) length"
    r"|max_model_len|too many tokens|(prompt|input) is too long|longer than the maximum",
    re.IGNORECASE,
)
_NO_TOOLS = re.compile(
    r"\btools?\b.{0,40}\b(support|param|requires|parser|not )|support\w* tools?\b|tool[_ -]?(choice|call|use)"
    r"|function[_ -]?call",
    re.IGNORECASE,
)
_NO_SCHEMA = re.compile(
    r"response_format|json[_ -]?schema|\.format\b|\bformat\b.{0,40}\bsupport|grammar|guided|structured[_ ]output"
    r"|\bschema\b",
    re.IGNORECASE,
)
#: What a request may be wrong in, in the order in which the words are looked for.
_UNFIT = (
    (_TOO_LONG, "model_context_too_long", "finds the request too long"),
    (_NO_TOOLS, "model_tools_unsupported", "takes no tools"),
    (_NO_SCHEMA, "model_schema_unsupported", "takes no JSON schema for its answer"),
)
#: Names that servers give to an error of the key, whatever the status.
_OF_THE_KEY = frozenset({"invalid_api_key", "unauthorized", "authentication_error"})
_OVERLOADED = frozenset({500, 502, 503, 504})


def quote(spec: ModelSpec, text: str) -> str:
    """A server's words on one printable line of at most 200 characters, without a key in them."""
    text = hide_keys(spec, text)
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: 8 * QUOTED]).split())
    return line if len(line) <= QUOTED else f"{line[: QUOTED - 1]}…"


def unreachable(spec: ModelSpec, error: BaseException) -> ModelFailed:
    """No connection came about, or it ended before anything was said."""
    why = quote(spec, _innermost(error))
    return ModelFailed(f"{subject(spec)} cannot be reached: {why}", code="model_unreachable", transient=True)


def _innermost(error: BaseException) -> str:
    """What an error of the network comes from; libraries wrap it in sentences that say less."""
    why = str(error) or type(error).__name__
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ConnectionRefusedError):
            return "the connection was refused"
        if isinstance(inner, OSError) and inner.strerror:
            why = inner.strerror
        inner = inner.__cause__ or inner.__context__
    return why


def malformed(spec: ModelSpec, why: str) -> ModelFailed:
    """What came is not what the protocol says."""
    return ModelFailed(
        f"{subject(spec)} sent an answer that cannot be read: {quote(spec, why)}", code="model_malformed"
    )


def stream_cut(spec: ModelSpec, why: str = "the stream ended") -> ModelFailed:
    """The answer stopped before the model had finished it."""
    return ModelFailed(
        f"{subject(spec)} stopped in mid-answer: {quote(spec, why)}", code="model_stream_cut", transient=True
    )


def refused(spec: ModelSpec, status: int, body: bytes | str, retry_after: str = "") -> ModelFailed:
    """The error of an answer with a status other than 200; `retry_after` is the value of that header."""
    said, named_codes = read_error(body)
    words = quote(spec, said) or f"status {status}"
    named = subject(spec)
    if status in {401, 403} or not _OF_THE_KEY.isdisjoint(named_codes):
        return _unauthorized(spec, f"status {status}")
    if status == 429:
        return ModelFailed(
            f"{named} has too many requests: {words}",
            code="model_rate_limited",
            transient=True,
            retry_after=seconds_of(retry_after),
        )
    if status in _OVERLOADED:
        return ModelFailed(
            f"{named} cannot answer now: {words}",
            code="model_overloaded",
            transient=True,
            retry_after=seconds_of(retry_after),
        )
    if status == 404:
        return ModelFailed(f"{named} is not there: {words}", code="model_not_found", hint="does its server have it?")
    return _rejected(spec, status, said, words)


def _unauthorized(spec: ModelSpec, why: str) -> ModelFailed:
    return ModelFailed(
        f"{subject(spec)} refuses the key: {why}", code="model_unauthorized", hint="see key_env and key_file"
    )


def _rejected(spec: ModelSpec, status: int, said: str, words: str) -> ModelFailed:
    for pattern, code, clause in _UNFIT:
        if (status in {400, 422} and pattern.search(said)) or (status == 413 and pattern is _TOO_LONG):
            return ModelFailed(f"{subject(spec)} {clause}: {words}", code=code, unfit=True)
    return ModelFailed(f"{subject(spec)} rejects the request: status {status}, {words}", code="model_rejected")


def reported(spec: ModelSpec, error: Any) -> ModelFailed:
    """The error that a server reports in the middle of a stream: an object, or its text."""
    if of_the_key := _OF_THE_KEY & _codes_in(error):
        return _unauthorized(spec, min(of_the_key))
    status: Any = error.get("code") if isinstance(error, dict) else None
    known = isinstance(status, int) and 400 <= status <= 599
    return refused(spec, status if known else 500, _message_in(error) or "an error without a message")


def read_error(body: bytes | str) -> tuple[str, frozenset[str]]:
    """What a server says in the body of an error, whatever form it has, and the names it has for the error."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text, frozenset()
    return _message_in(value) or text, _codes_in(value)


def _codes_in(value: Any) -> frozenset[str]:
    """What stands in `code` and `type`, outside of `error` or within."""
    found: set[str] = set()
    for _ in range(3):
        if not isinstance(value, dict):
            break
        found.update(each.lower() for each in (value.get("code"), value.get("type")) if isinstance(each, str))
        value = value.get("error")
    return frozenset(found)


def _message_in(value: Any) -> str:
    """The message in `{"error": {"message": ...}}` and its many relatives; empty when there is none."""
    for _ in range(3):
        if not isinstance(value, dict):
            break
        value = next((value[key] for key in ("error", "message", "detail") if value.get(key)), "")
    return value if isinstance(value, str) else (str(value) if value else "")


def seconds_of(retry_after: str) -> float | None:
    """A `Retry-After`, which is a number of seconds or an HTTP date; None when it is neither."""
    value = retry_after.strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
        except (ValueError, OverflowError):
            return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
