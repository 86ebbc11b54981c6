"""The command line's door: a loopback socket of its own, opened with a bearer token from the data directory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath

from agent_gateway.api.asgi import Receive, Scope, Send
from agent_gateway.api.conversations import NoContent
from agent_gateway.api.documentation import OPERATORS, READERS, allowed
from agent_gateway.api.passages import search_in
from agent_gateway.api.replies import Sendable, reply
from agent_gateway.api.requests import Call, body_of, edge_of
from agent_gateway.api.shapes import ForgetReply, IngestRequest, RouteRequest
from agent_gateway.errors import GatewayError, NotFound, Unavailable
from agent_gateway.interfaces import Forgetting, IngestProgress
from agent_gateway.messages import Problem

_DECODER = msgspec.json.Decoder(IngestRequest)
_FORGET_DECODER = msgspec.json.Decoder(Forgetting)
_ROUTE_DECODER = msgspec.json.Decoder(RouteRequest)


class ProgressStream(Sendable):
    """Progress as lines of JSON; an error is the last line, `{"problem": {...}}`. Hanging up ends the ingest."""

    def __init__(self, steps: AsyncIterator[IngestProgress]) -> None:
        self._steps = steps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the progress as it comes."""
        headers = ((b"content-type", b"application/x-ndjson"), (b"cache-control", b"no-store"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        try:
            async for step in self._steps:
                await _send_line(send, step)
        except GatewayError as exc:
            await _send_line(send, {"problem": Problem(code=exc.code, detail=exc.detail, hint=exc.hint)})
        await send({"type": "http.response.body", "body": b""})


async def _send_line(send: Send, value: object) -> None:
    await send({"type": "http.response.body", "body": msgspec.json.encode(value) + b"\n", "more_body": True})


@post("/ingest", status_code=200, opt=allowed(post=OPERATORS))
async def ingest(request: Call) -> Sendable:
    """Bring a collection up to date with a file or folder."""
    edge = edge_of(request)
    body = await body_of(request, _DECODER)
    return ProgressStream(edge.ingestion.ingest(body.path, body.collection))


@get("/collections", opt=allowed(get=READERS))
async def list_collections(request: Call) -> Sendable:
    """List every collection with its size."""
    return reply(await edge_of(request).ingestion.collections())


@delete("/collections/{name:str}", status_code=200, opt=allowed(delete=OPERATORS))
async def drop_collection(request: Call, name: FromPath[str]) -> Sendable:
    """Remove a collection."""
    await edge_of(request).ingestion.drop(name)
    return NoContent()


@post("/forget", status_code=200, opt=allowed(post=OPERATORS))
async def forget(request: Call) -> Sendable:
    """Forget remembered interactions, whoever owns them."""
    which = await body_of(request, _FORGET_DECODER)
    matching = await edge_of(request).ingestion.forget(which)
    return reply(ForgetReply(matching=matching, dry_run=which.dry_run))


@post("/search", status_code=200, opt=allowed(post=READERS))
async def search_any(request: Call) -> Sendable:
    """Search any collection."""
    return await search_in(request, edge_of(request).knowledge.names())


@post("/route", status_code=200, opt=allowed(post=READERS))
async def explain_route(request: Call) -> Sendable:
    """Explain how a persona would route a message, without answering it."""
    edge = edge_of(request)
    body = await body_of(request, _ROUTE_DECODER)
    if body.persona not in edge.personas:
        if (reason := edge.disabled.get(body.persona)) is not None:
            raise Unavailable(f"The persona is disabled: {reason}", code="persona_disabled")
        raise NotFound("There is no such persona.", code="persona_not_found", hint="GET /personas lists them")
    return reply(await edge.explain(body.persona, body.message))
