"""Liveness and readiness, answered without anything that has to be loaded."""

from __future__ import annotations

from agent_gateway.api.asgi import Scope
from agent_gateway.api.problems import HttpError
from agent_gateway.api.replies import Reply, reply
from agent_gateway.api.shapes import Liveness, ReadinessReport
from agent_gateway.interfaces import Readiness

LIVE = "/livez"
READY = "/readyz"
PATHS = frozenset({LIVE, READY})


def answer_health(scope: Scope, path: str, readiness: Readiness | None, *, draining: bool, attached: bool) -> Reply:
    """Answer one of `PATHS`; `readiness` is None while nothing is known about the parts.

    Parts may be ready a moment before the applications are `attached`.
    """
    if scope["method"] not in {"GET", "HEAD"}:
        raise HttpError(405, "method_not_allowed", "This path only answers GET.", headers=((b"allow", b"GET, HEAD"),))
    if path == LIVE:
        return reply(Liveness())
    parts = dict(readiness.parts()) if readiness is not None else {}
    if draining:
        return reply(ReadinessReport(status="draining", parts=parts), 503, ((b"retry-after", b"5"),))
    if readiness is None or not readiness.ready or not attached:
        return reply(ReadinessReport(status="starting", parts=parts), 503, ((b"retry-after", b"1"),))
    return reply(ReadinessReport(status="ready", parts=parts))
