"""Requests to the servers: one JSON answer, within a time and a size, and never elsewhere than configured."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import agent_gateway as ag

from .servers import Place
from .settings import Limits, ServerSettings

if TYPE_CHECKING:
    import httpx

Query: TypeAlias = Mapping[str, str | int | float]
_LONGEST_MESSAGE = 300
_REFUSED = frozenset({400, 413, 414, 422})


async def get_json(place: Place, path: str, query: Query, limits: Limits) -> Any:
    """The JSON that a server answers to a GET.

    `InvalidInput` when it refuses the query, `NotFound` when there is no such thing, `Unavailable` for everything else
    that goes wrong. Redirects are not followed.
    """
    import httpx  # noqa: PLC0415 - plugins are also loaded to be listed, and this takes a while

    try:
        async with (
            asyncio.timeout(limits.timeout_seconds),
            open_client(place.settings, limits.timeout_seconds) as client,
            client.stream("GET", place.settings.url + path, params=dict(query)) as response,
        ):
            body = await _read(place, response, limits.response_bytes)
    except (TimeoutError, httpx.TimeoutException):
        detail = f"{place.told} did not answer within {limits.timeout_seconds:g} s"
        raise ag.Unavailable(detail, code="server_timeout", hint="ask for less, or for a shorter time") from None
    except httpx.HTTPError as error:
        raise ag.Unavailable(f"{place.told} cannot be reached: {_tell(error)}", code="server_unreachable") from None
    if response.status_code != 200:
        raise _refusal(place, response, body)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ag.Unavailable(f"{place.told} did not answer with JSON", code="server_answer") from None


def open_client(settings: ServerSettings, seconds: float) -> httpx.AsyncClient:
    """A client with the credentials of a server; nothing of the environment is used, and no redirect followed."""
    import httpx  # noqa: PLC0415 - as above

    # An answer that unpacks to much more than came in would not be limited: it must come as it is.
    headers = {"accept": "application/json", "accept-encoding": "identity", **settings.headers}
    token = settings.token()
    if token:
        headers["authorization"] = f"Bearer {token}"
    login = httpx.BasicAuth(settings.username, settings.password()) if settings.username else None
    return httpx.AsyncClient(
        headers=headers, auth=login, verify=trust(settings), trust_env=False, follow_redirects=False, timeout=seconds
    )


def trust(settings: ServerSettings) -> ssl.SSLContext:
    """The certificates to trust; `Unavailable` when they cannot be read."""
    if settings.url.startswith("http://"):
        # Reading the system's certificates takes longer than the request.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError):
        raise ag.Unavailable(
            f"no certificates can be read from {settings.ca_file}", code="server_credentials"
        ) from None


def show_message(text: str) -> str:
    """What a server said, as one short line."""
    return ag.excerpt(text, _LONGEST_MESSAGE)


async def _read(place: Place, response: httpx.Response, limit: int) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ag.Unavailable(f"{place.told} sends packed answers although asked not to", code="server_answer")
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > limit:
            raise ag.InvalidInput(
                f"the answer of {place.told} is larger than {limit / 1e6:g} MB",
                code="answer_too_large",
                hint="ask for less: fewer series or lines, a shorter range, a longer step",
            )
    return bytes(body)


def _refusal(place: Place, response: httpx.Response, body: bytes) -> ag.GatewayError:
    status = response.status_code
    said = _message(body)
    if response.has_redirect_location:
        hint = "redirects are not followed: configure the address it redirects to"
        return ag.Unavailable(f"{place.told} redirects elsewhere", code="server_redirects", hint=hint)
    if status in {401, 403}:
        hint = f"see token_env, token_file or username of plugins.observability.{place.kind}"
        return ag.Unavailable(f"{place.told} refuses the credentials ({status})", code="server_credentials", hint=hint)
    if status in _REFUSED:
        return ag.InvalidInput(f"{place.told} refuses the query: {said or status}", code="query_refused")
    if status == 404:
        return ag.NotFound(f"{place.told} has no such thing: {said or status}")
    return ag.Unavailable(f"{place.told} answered with {status}" + (f": {said}" if said else ""), code="server_failed")


def _message(body: bytes) -> str:
    """What the server says is wrong: text, or the usual field of a JSON object; nothing of a page of HTML."""
    text = body[:4000].decode(errors="replace")
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return "" if text.lstrip().startswith("<") else show_message(text)
    if isinstance(parsed, dict):
        errors = parsed.get("errors")
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
        text = str(parsed.get("error") or parsed.get("message") or first.get("msg") or "")
    return show_message(text)


def _tell(error: httpx.HTTPError) -> str:
    import httpx  # noqa: PLC0415 - as above

    if isinstance(error, httpx.ConnectError) and "CERTIFICATE" in str(error):
        return "its certificate is not trusted, see ca_file"
    if isinstance(error, httpx.ConnectError):
        return "nothing answers at its address"
    return "it broke off its answer" if isinstance(error, httpx.RemoteProtocolError) else type(error).__name__
