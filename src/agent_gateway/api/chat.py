"""`POST /v1/chat`: a message in, the whole answer or its events out."""

from __future__ import annotations

import msgspec
from litestar import post

from agent_gateway.api.asgi import accepts
from agent_gateway.api.documentation import JSON_ERRORS, Endpoint, described
from agent_gateway.api.identifiers import check_id
from agent_gateway.api.problems import HttpError
from agent_gateway.api.replies import Sendable, reply
from agent_gateway.api.requests import Call, body_of, edge_of, owner_of, persona_of, request_id_of, streams_of, url
from agent_gateway.api.shapes import ChatRequest
from agent_gateway.api.sse import EventStream
from agent_gateway.errors import Unavailable
from agent_gateway.interfaces import TurnRequest
from agent_gateway.messages import Answer

_DECODER = msgspec.json.Decoder(ChatRequest)
_CHAT = Endpoint(
    summary="Send a message",
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
    run = await edge.runs.start(
        TurnRequest(
            persona=persona_of(request).id,
            owner=owner_of(request),
            message=body.message,
            conversation_id=body.conversation_id,
            request_id=request_id_of(request),
        )
    )
    location = (b"location", url(request, f"/v1/runs/{run.id}"))
    if body.stream or accepts(request.scope, b"text/event-stream"):
        events = edge.runs.follow(run.id)
        return EventStream(run.id, events, streams_of(request), edge.settings.keepalive_seconds, (location,))
    headers = ((b"x-run-id", run.id.encode()), location)
    try:
        answer = await edge.runs.result(run.id)
    except Unavailable as exc:
        hint = f"the run can be followed again at /v1/runs/{run.id}/events"
        retry = (b"retry-after", b"%d" % exc.retry_after)
        raise HttpError(503, exc.code, exc.detail, hint=hint, headers=(*headers, retry)) from exc
    return reply(answer, headers=headers)
