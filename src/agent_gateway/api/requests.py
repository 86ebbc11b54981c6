"""What an endpoint needs to know about a request: the edge, the persona it is for, and who asks."""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar, cast

import msgspec
from litestar import Request

from agent_gateway.api.asgi import Receive
from agent_gateway.api.auth.principals import Principal
from agent_gateway.api.auth.rules import deny
from agent_gateway.api.bodies import read_json
from agent_gateway.api.edge import Edge
from agent_gateway.api.streams import Streams
from agent_gateway.messages import Role
from agent_gateway.persona import Persona

#: The request of every endpoint.
Call: TypeAlias = Request[Any, Any, Any]


T = TypeVar("T", bound=msgspec.Struct)


def edge_of(request: Call) -> Edge:
    """Return the gateway behind this request."""
    edge: Edge = request.app.state["edge"]
    return edge


def streams_of(request: Call) -> Streams:
    """Return the live streams of this process."""
    streams: Streams = request.app.state["streams"]
    return streams


def persona_of(request: Call) -> Persona:
    """Return the persona that the listening socket, or the path on the gateway port, stands for."""
    name: str = request.scope["state"]["persona"]
    return edge_of(request).personas[name]


def principal_of(request: Call) -> Principal:
    """Return who asks, and what they may do here."""
    principal: Principal = request.scope["state"]["principal"]
    return principal


def owner_of(request: Call) -> str:
    """Return who asks: the owner of what comes of it."""
    return principal_of(request).owner


def require(request: Call, role: Role) -> None:
    """Let only callers with a role go on; `Forbidden` for others."""
    principal = principal_of(request)
    if role not in principal.roles:
        deny(principal, (role,), request.scope["path"])


def request_id_of(request: Call) -> str:
    """Return the request's id, as it is in the response and in the logs."""
    found: str = request.scope["state"]["request_id"]
    return found


def url(request: Call, path: str) -> bytes:
    """Write a path of this persona as the caller reaches it."""
    return f"{request.scope['root_path']}{path}".encode()


async def body_of(request: Call, decoder: msgspec.json.Decoder[T]) -> T:
    """Read the request's JSON body as the decoder's type."""
    limit = edge_of(request).settings.body_limit_bytes
    return await read_json(request.scope, cast("Receive", request.receive), decoder, limit)
