"""Which roles an endpoint is for: written with it, checked before it, and nobody where nothing is written."""

from __future__ import annotations

from typing import Any

import structlog
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from agent_gateway.api.auth.principals import Principal
from agent_gateway.api.documentation import roles_of
from agent_gateway.errors import Forbidden

_log = structlog.get_logger(__name__)


async def check_role(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let through who has a role of the endpoint; a guard of every application. `Forbidden` for others."""
    method = connection.scope.get("method", "")
    if method == "OPTIONS":
        return  # litestar's own answer: which methods there are
    principal: Principal = connection.scope["state"]["principal"]
    needed = roles_of(handler.opt, str(method))
    if not set(needed) & set(principal.roles):
        deny(principal, needed, connection.scope["path"])


def deny(principal: Principal, needed: tuple[str, ...], path: str) -> None:
    """Refuse somebody who is known, and say which role it takes."""
    _log.warning("access_denied", owner=principal.owner, roles=principal.roles, needed=needed, path=path)
    hint = f"it takes the role {' or '.join(needed)}" if needed else ""
    raise Forbidden("You may not do this.", hint=hint)
