"""The litestar applications behind the front: one for every persona, one for the gateway port, one for the control."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from litestar import Litestar, Response, get
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.handlers import HTTPRouteHandler

from agent_gateway.api import approvals, chat, control, conversations, decisions, passages, people, tools, turns
from agent_gateway.api.auth.admission import admit_by_control_token
from agent_gateway.api.auth.opening import open_admission
from agent_gateway.api.auth.rules import check_role
from agent_gateway.api.documentation import READERS, allowed
from agent_gateway.api.edge import Apps, Edge
from agent_gateway.api.openapi import document
from agent_gateway.api.problems import HttpError, problem
from agent_gateway.api.replies import Sendable, reply
from agent_gateway.api.requests import Call, request_id_of
from agent_gateway.api.streams import Streams

PERSONA_HANDLERS: tuple[HTTPRouteHandler, ...] = (
    chat.chat,
    conversations.list_conversations,
    conversations.use_conversation,
    turns.read_run,
    turns.follow_run,
    turns.cancel_run,
    turns.resume_run,
    passages.search,
    people.read_persona,
    tools.list_tools,
    approvals.list_approvals,
    approvals.decide,
)
CONTROL_HANDLERS: tuple[HTTPRouteHandler, ...] = (
    control.ingest,
    control.list_collections,
    control.drop_collection,
    control.forget,
    control.search_any,
    control.explain_route,
    decisions.list_all_approvals,
    decisions.read_approval,
    decisions.decide_at_once,
    people.list_personas,
)


def build_apps(edge: Edge, streams: Streams) -> Apps:
    """Every application of the gateway; takes a while, so it is done in a worker thread."""
    settings = edge.settings
    return Apps(
        persona=_litestar("agent-gateway: a persona", PERSONA_HANDLERS, edge, streams),
        gateway=_litestar("agent-gateway", (people.list_personas,), edge, streams),
        control=_litestar("agent-gateway: control", CONTROL_HANDLERS, edge, streams),
        personas=frozenset(edge.personas),
        admit=open_admission(settings.auth, edge.clusters, settings.cors_origins),
        admit_control=admit_by_control_token(settings.control_token),
    )


def _litestar(title: str, handlers: Sequence[HTTPRouteHandler], edge: Edge, streams: Streams) -> Any:
    origins = edge.settings.cors_origins
    app = Litestar(
        route_handlers=[*handlers, read_schema],
        state=State({"edge": edge, "streams": streams}, deep_copy=False),
        exception_handlers={Exception: answer_error},
        guards=[check_role],
        cors_config=CORSConfig(allow_origins=list(origins), expose_headers=["X-Run-ID"]) if origins else None,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    app.state["document"] = document(title, version("agent-gateway"), app.routes)
    return app


@get(["/schema", "/schema/openapi.json"], opt=allowed(get=READERS))
async def read_schema(request: Call) -> Sendable:
    """Describe this application, as OpenAPI."""
    servers = [{"url": request.scope["root_path"] or "/"}]
    return reply({**request.app.state["document"], "servers": servers})


def answer_error(request: Call, error: Exception) -> Response[bytes]:
    """Answer any error of an endpoint with a problem."""
    answer = problem(_explain(error), request_id_of(request))
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    media_type = headers.pop("content-type")
    return Response(answer.body, status_code=answer.status, headers=headers, media_type=media_type)


def _explain(error: Exception) -> Exception:
    """Say what litestar refuses in our words."""
    if isinstance(error, NotFoundException):
        return HttpError(404, "not_found", "There is no such path.", hint="GET /schema lists them")
    if isinstance(error, MethodNotAllowedException):
        allowed = (error.headers or {}).get("allow", "")
        headers = ((b"allow", allowed.encode()),)
        return HttpError(405, "method_not_allowed", "This path does not answer that method.", headers=headers)
    if isinstance(error, HTTPException) and error.status_code < 500:
        return HttpError(error.status_code, "invalid_input", f"{error.detail}.")
    return error
