"""Request bodies: read up to a limit and a deadline, decoded into a typed shape, refused with one clear sentence."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

import msgspec

from agent_gateway.api.asgi import Receive, header
from agent_gateway.api.problems import HttpError
from agent_gateway.api.shapes import TEXT_LIMIT
from agent_gateway.errors import InvalidInput

T = TypeVar("T", bound=msgspec.Struct)

#: A caller that needs longer than this for 1 MiB holds a connection for nothing.
READ_SECONDS = 30.0
_CLOSE = ((b"connection", b"close"),)
_DETAIL_LIMIT = 300


async def read_body(scope: Any, receive: Receive, limit: int) -> bytes:
    """Read the whole body, at most `limit` bytes; one that says it is longer is refused unread."""
    length = header(scope, b"content-length")
    if length is not None and int(length) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await _collect(receive, limit)
    except TimeoutError:
        raise HttpError(408, "request_timeout", "The body did not arrive in time.", headers=_CLOSE) from None


async def _collect(receive: Receive, limit: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HttpError(400, "incomplete_body", "The connection ended before the body did.", headers=_CLOSE)
        body += message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return bytes(body)


def _too_large(limit: int) -> HttpError:
    # The rest is not read, so nothing else can follow on this connection.
    return HttpError(413, "body_too_large", f"The body is longer than {limit} bytes.", headers=_CLOSE)


def check_media_type(scope: Any) -> None:
    """Refuse a body that does not say it is JSON in UTF-8."""
    media_type, _, parameters = (header(scope, b"content-type") or b"").lower().partition(b";")
    charset = parameters.replace(b" ", b"").replace(b'"', b"")
    if media_type.strip() != b"application/json" or charset not in {b"", b"charset=utf-8"}:
        raise HttpError(
            415, "unsupported_media_type", "The body must be JSON.", hint="send `content-type: application/json`"
        )


def decode(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode a body into the decoder's type; `InvalidInput` says what is wrong and where."""
    if not body:
        raise InvalidInput("The body is empty.", hint="send a JSON object")
    try:
        value = decoder.decode(body)
    except msgspec.ValidationError as exc:
        raise InvalidInput(f"{str(exc)[:_DETAIL_LIMIT]}.") from None
    except UnicodeDecodeError:
        raise InvalidInput("The body is not UTF-8.", code="invalid_json") from None
    except msgspec.DecodeError:
        # Its text says nothing of use: a lone surrogate is "truncated".
        raise InvalidInput("The body is not valid JSON.", code="invalid_json") from None
    except RecursionError:
        raise InvalidInput("The body is nested too deeply.", code="invalid_json") from None
    check_text(value)
    return value


def check_text(value: msgspec.Struct) -> None:
    """Refuse NUL characters, blank and too long text in the fields of a shape."""
    for name in value.__struct_fields__:
        text = getattr(value, name)
        if not isinstance(text, str):
            continue
        if "\0" in text:
            raise InvalidInput(f"`{name}` contains a NUL character.")
        if not text or text.isspace():
            raise InvalidInput(f"`{name}` is blank.")
        if len(text) > TEXT_LIMIT:
            raise InvalidInput(f"`{name}` is longer than {TEXT_LIMIT} characters.")


async def read_json(scope: Any, receive: Receive, decoder: msgspec.json.Decoder[T], limit: int) -> T:
    """Read, check and decode a JSON body."""
    length = header(scope, b"content-length")
    if length != b"0":
        check_media_type(scope)
    return decode(await read_body(scope, receive, limit), decoder)
