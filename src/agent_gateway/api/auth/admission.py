"""The door: from a request's socket, path and token to who asks, or to one refusal that tells nothing."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn, TypeAlias

import structlog

from agent_gateway.api.asgi import Headers, Scope, header
from agent_gateway.api.auth.credentials import Method, Refused, read_bearer
from agent_gateway.api.auth.principals import LOCAL, NOBODY, Identity, Principal
from agent_gateway.api.auth.throttle import Throttle
from agent_gateway.api.problems import HttpError

#: Says who asks for a persona (its id, empty for the gateway's own port); `HttpError` when nobody may.
Admit: TypeAlias = Callable[[Scope, str], Awaitable[Principal]]

_CHALLENGE = (b"www-authenticate", b"Bearer")

_log = structlog.get_logger(__name__)


async def admit_everybody(scope: Scope, persona: str) -> Principal:
    """Whoever reaches the socket is `local`: no authentication is configured."""
    del scope, persona
    return LOCAL


def admit_by_control_token(token: str) -> Admit:
    """Whoever has the token of the control socket is `local`; without a token nobody is."""
    expected = f"Bearer {token}".encode()

    async def admit(scope: Scope, persona: str) -> Principal:
        del persona
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if token and len(given) == 1 and hmac.compare_digest(given[0], expected):
            return LOCAL
        raise HttpError(401, "unauthorized", "The control socket needs its token.", headers=(_CHALLENGE,))

    return admit


class Admission:
    """Implements `Admit` with the methods that are configured; `origins` are the web pages that may read answers."""

    def __init__(self, methods: Sequence[Method], throttle: Throttle, origins: Sequence[str] = ()) -> None:
        self._methods = methods
        self._throttle = throttle
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Scope, persona: str) -> Principal:
        """Say who asks."""
        if self._is_preflight(scope):
            return NOBODY
        identity = await self._identify(scope, persona)
        principal = identity.toward(persona)
        if principal is None:
            _log.warning("access_denied", owner=identity.owner, persona=persona, reason="no role here")
            raise HttpError(403, "forbidden", "You may not do this.", headers=self._cross_origin(scope))
        return principal

    async def _identify(self, scope: Scope, persona: str) -> Identity:
        method = "none"
        try:
            token = read_bearer(scope)
            if token is None:
                raise self._unauthorized(scope)
            for each in self._methods:
                if each.takes(token):
                    method = each.name
                    if self._throttle.exhausted(peer_of(scope)) and not each.is_local(token):
                        raise Refused("too many failures")
                    return await each.identify(token)
            raise Refused("no method knows such a token")
        except Refused as refused:
            self._refuse(scope, persona, method, str(refused))

    def _refuse(self, scope: Scope, persona: str, method: str, reason: str) -> NoReturn:
        peer = peer_of(scope)
        if self._throttle.exhausted(peer):
            _log.debug("authentication_throttled", peer=peer)
            retry = (b"retry-after", b"%d" % self._throttle.seconds(peer))
            headers = (retry, *self._cross_origin(scope))
            raise HttpError(
                429, "too_many_attempts", "There were too many attempts with wrong credentials.", headers=headers
            )
        self._throttle.note(peer)
        _log.warning("authentication_failed", peer=peer, persona=persona, method=method, reason=reason)
        raise self._unauthorized(scope)

    def _unauthorized(self, scope: Scope) -> HttpError:
        # The same for a token that is missing, wrong or expired.
        return HttpError(
            401,
            "unauthorized",
            "This needs valid credentials.",
            hint="send `Authorization: Bearer` with an API key or a token",
            headers=(_CHALLENGE, *self._cross_origin(scope)),
        )

    def _is_preflight(self, scope: Scope) -> bool:
        """Whether a browser asks what it may ask: it cannot send credentials then, and is told no content."""
        return (
            scope["method"] == "OPTIONS"
            and bool(self._origins)
            and header(scope, b"origin") is not None
            and header(scope, b"access-control-request-method") is not None
        )

    def _cross_origin(self, scope: Scope) -> Headers:
        origin = header(scope, b"origin")
        if origin is not None and (origin in self._origins or b"*" in self._origins):
            return ((b"access-control-allow-origin", origin), (b"vary", b"Origin"))
        return ()


def peer_of(scope: Scope) -> str:
    """Return the address at the other end of the socket."""
    client = scope.get("client")
    return str(client[0]) if client else ""
