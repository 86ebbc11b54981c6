"""The credential of a request: one bearer token in one header, and nothing else counts."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from typing import Any, Protocol

import msgspec

from agent_gateway.api.auth.principals import Identity

#: Longer than any token of a provider that is still sensible, shorter than what would be work to look at.
TOKEN_LENGTH = 8192

_BEARER = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*)")


class Refused(Exception):
    """A credential is worth nothing; the reason is for the log alone."""


class Method(Protocol):
    """One way to tell whose a token is."""

    @property
    def name(self) -> str:
        """What the log calls it."""
        ...

    def takes(self, token: str) -> bool:
        """Whether a token of this form is for this method; no other method sees it then."""
        ...

    def is_local(self, token: str) -> bool:
        """Whether it can be judged without asking anybody."""
        ...

    async def identify(self, token: str) -> Identity:
        """Whose it is; `Refused`, or `Unavailable` when that cannot be found out now."""
        ...


class Claims(msgspec.Struct, frozen=True):
    """What is looked at in a token that has not been verified: only to know who is to be asked about it."""

    iss: Any = None
    exp: Any = None


_CLAIMS = msgspec.json.Decoder(Claims)
_NO_CLAIMS = Claims()


def read_bearer(scope: Any) -> str | None:
    """Read the bearer token; None when the request has no credential, `Refused` for one that cannot be one."""
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    if not given:
        return None
    if len(given) > 1:
        raise Refused("several authorization headers")
    found = _BEARER.fullmatch(given[0])
    if found is None:
        raise Refused("not a bearer token")
    if len(found[1]) > TOKEN_LENGTH:
        raise Refused("too long")
    return found[1].decode("ascii")


def peek(token: str) -> Claims:
    """Look into a token without believing it; empty for what is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return _NO_CLAIMS
    try:
        return _CLAIMS.decode(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):  # no base64, no UTF-8, no JSON, or nested as no honest token is
        return _NO_CLAIMS
