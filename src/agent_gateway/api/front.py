"""What every connection meets first: plain ASGI, there before anything heavy is imported.

The listening socket decides whom a request is for, never a header: a persona's port is that persona, on the gateway
port `/personas/{id}/...` is, and the control socket is the command line's, with every persona below it as well. Who
asks is decided here too, before anything of the request is looked at but its path and its credential.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import structlog
from structlog.contextvars import bind_contextvars

from agent_gateway.api.asgi import App, Receive, Scope, Send
from agent_gateway.api.edge import Apps
from agent_gateway.api.health import PATHS, answer_health
from agent_gateway.api.identifiers import request_id
from agent_gateway.api.outgoing import Outgoing
from agent_gateway.api.problems import HttpError, problem
from agent_gateway.errors import GatewayError, NotFound, Unavailable
from agent_gateway.interfaces import Readiness

#: Most bytes of request line and headers together.
HEAD_LIMIT = 65_536
_CLOSE = ((b"connection", b"close"),)
_READING = frozenset({"GET", "HEAD", "OPTIONS"})

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Door:
    """Whom a listening socket is for."""

    kind: Literal["persona", "gateway", "control"]
    persona: str = ""


@dataclass(frozen=True)
class _Target:
    """Whom a request is for: the persona, the prefix it came under, its path below that; and the door it came by."""

    kind: Literal["persona", "gateway", "control"]
    persona: str
    root: str
    path: str
    door: Door


class Front:
    """The ASGI application of every socket: 503 until `attach`, no new work after `drain`."""

    def __init__(self, doors: Mapping[int, Door], readiness: Readiness | None = None) -> None:
        self._doors = doors
        self._readiness = readiness
        self._apps: Apps | None = None
        self._draining = False

    def attach(self, apps: Apps, readiness: Readiness) -> None:
        """From now on requests reach the applications."""
        self._apps = apps
        self._readiness = readiness

    def drain(self) -> None:
        """From now on new work is refused; what can be read is still served."""
        self._draining = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        if scope["type"] != "http":
            raise RuntimeError(f"the front speaks HTTP, not {scope['type']}")
        response = Outgoing(send, request_id(scope))
        bind_contextvars(request_id=response.request_id)
        try:
            await self._dispatch(scope, receive, response)
        except asyncio.CancelledError:
            if response.status or not self._draining:
                raise
            await problem(_draining(), response.request_id)(scope, receive, response.send)
        except Exception as exc:
            if response.status:
                raise  # the server logs it and breaks the connection off: the client must not take this for the end
            await problem(exc, response.request_id)(scope, receive, response.send)
        await response.linger(receive)
        _log.debug(
            "request",
            method=scope["method"],
            path=scope["raw_path"].decode(),
            status=response.status,
            ms=response.milliseconds,
        )

    async def _dispatch(self, scope: Scope, receive: Receive, response: Outgoing) -> None:
        check_head(scope)
        target = self._target(scope)
        if target.path in PATHS:
            attached = self._apps is not None
            answer = answer_health(scope, target.path, self._readiness, draining=self._draining, attached=attached)
            await answer(scope, receive, response.send)
            return
        if self._apps is None:
            raise Unavailable("The gateway is starting.", code="starting", hint="see /readyz")
        if self._draining and scope["method"] not in _READING:
            raise _draining()
        admit = self._apps.admit_control if target.door.kind == "control" else self._apps.admit
        # First who asks: whether there is such a persona is nobody else's business.
        principal = await admit(scope, target.persona)
        app = self._choose(self._apps, target)
        scope["root_path"] = target.root
        scope["state"] = {"persona": target.persona, "request_id": response.request_id, "principal": principal}
        await app(scope, receive, response.send)

    def _target(self, scope: Scope) -> _Target:
        door = self._doors.get(scope["server"][1])
        path = scope["path"]
        if door is None:
            raise NotFound("Nobody is served on this port.")
        if door.kind != "persona" and path.startswith("/personas/"):
            persona, _, rest = path.removeprefix("/personas/").partition("/")
            return _Target("persona", persona, f"/personas/{persona}", f"/{rest}", door)
        return _Target(door.kind, door.persona, "", path, door)

    @staticmethod
    def _choose(apps: Apps, target: _Target) -> App:
        if target.kind == "gateway":
            return apps.gateway
        if target.kind == "control":
            return apps.control
        if target.persona not in apps.personas:
            raise NotFound("There is no such persona.", code="persona_not_found", hint="GET /personas lists them")
        return apps.persona


def check_head(scope: Scope) -> None:
    """Refuse a request line and headers that are longer than any honest client's."""
    size = len(scope["path"]) + len(scope["query_string"])
    for name, value in scope["headers"]:
        size += len(name) + len(value) + 4  # a colon, a space and the line's end
    if size > HEAD_LIMIT:
        raise HttpError(431, "headers_too_large", f"The headers are longer than {HEAD_LIMIT} bytes.", headers=_CLOSE)


def _draining() -> GatewayError:
    return Unavailable("The gateway is shutting down.", code="shutting_down", retry_after=5)
