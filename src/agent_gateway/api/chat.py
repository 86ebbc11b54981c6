"""`POST /v1/chat`: a message in, the whole answer or its events out."""

from __future__ import annotations

import asyncio
from typing import cast

import msgspec
from litestar import post

from agent_gateway.api.asgi import Receive, accepts, wait_for_leaving
from agent_gateway.api.documentation import ASKERS, JSON_ERRORS, Endpoint, described
from agent_gateway.api.identifiers import check_id
from agent_gateway.api.listeners import call_off, open_stream
from agent_gateway.api.problems import HttpError
from agent_gateway.api.replies import Sendable, reply
from agent_gateway.api.requests import Call, body_of, edge_of, persona_of, principal_of, request_id_of, streams_of, url
from agent_gateway.api.shapes import ChatRequest
from agent_gateway.errors import Unavailable
from agent_gateway.interfaces import TurnRequest
from agent_gateway.messages import Answer, Run

_DECODER = msgspec.json.Decoder(ChatRequest)
_CHAT = Endpoint(
    summary="Send a message",
    roles=ASKERS,
    body=ChatRequest,
    reply=Answer,
    streams="maybe",
    errors=(*JSON_ERRORS, 404, 409),
)


@post("/v1/chat", status_code=200, opt=described(post=_CHAT))
async def chat(request: Call) -> Sendable:
    """Start a turn, and answer when it has ended, or stream its events when the caller asks for that."""
    edge = edge_of(request)
    body = await body_of(request, _DECODER)
    if body.conversation_id is not None:
        check_id(body.conversation_id, "conversation")
    asking = principal_of(request)
    run = await edge.runs.start(
        TurnRequest(
            persona=persona_of(request).id,
            owner=asking.owner,
            roles=asking.roles,
            message=body.message,
            conversation_id=body.conversation_id,
            request_id=request_id_of(request),
        )
    )
    location = (b"location", url(request, f"/v1/runs/{run.id}"))
    if body.stream or accepts(request.scope, b"text/event-stream"):
        return open_stream(request, run, headers=(location,))
    headers = ((b"x-run-id", run.id.encode()), location)
    try:
        answer = await _result(request, run)
    except Unavailable as exc:
        hint = f"the run can be followed again at /v1/runs/{run.id}/events"
        retry = (b"retry-after", b"%d" % exc.retry_after)
        raise HttpError(503, exc.code, exc.detail, hint=hint, headers=(*headers, retry)) from exc
    return reply(answer, headers=headers)


async def _result(request: Call, run: Run) -> Answer:
    """Wait for the answer, and meanwhile, where that ends the turn, for the caller's going away."""
    result = edge_of(request).runs.result
    if not persona_of(request).cancel_on_disconnect:
        return await result(run.id)
    answer = asyncio.ensure_future(result(run.id))
    leaving = asyncio.ensure_future(wait_for_leaving(cast("Receive", request.receive)))
    try:
        with streams_of(request).waiting(run.id):
            await asyncio.wait((answer, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            await call_off(request, run)
        return await answer
    finally:
        answer.cancel()
        leaving.cancel()
        await asyncio.gather(answer, leaving, return_exceptions=True)
