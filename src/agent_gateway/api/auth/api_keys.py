"""API keys: long random texts of which the gateway knows only the SHA-256."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from agent_gateway.api.auth.credentials import Refused
from agent_gateway.api.auth.principals import Grant, Identity
from agent_gateway.config.auth import CallerSettings

#: How every key begins, so that it is never taken for another kind of token, and is found when it is leaked.
PREFIX = "agw_"
KEY_BYTES = 32


class _Known(NamedTuple):
    digest: bytes
    identity: Identity
    expires: datetime | None


def new_key() -> str:
    """Make a key; 256 random bits, so that its plain SHA-256 cannot be guessed from."""
    return PREFIX + secrets.token_urlsafe(KEY_BYTES)


def digest_of(key: str) -> str:
    """Return what the settings hold of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class ApiKeys:
    """Implements `Method`."""

    name = "api_key"

    def __init__(self, callers: Mapping[str, CallerSettings], now: Callable[[], datetime] = utc_now) -> None:
        self._now = now
        self._known = tuple(
            _Known(
                bytes.fromhex(caller.key_sha256),
                Identity(owner=f"key:{name}", grants=(Grant.of(caller),)),
                caller.expires,
            )
            for name, caller in callers.items()
        )

    def takes(self, token: str) -> bool:
        """Keys are told by their beginning."""
        return token.startswith(PREFIX)

    def is_local(self, token: str) -> bool:
        """Nobody is asked."""
        del token
        return True

    async def identify(self, token: str) -> Identity:
        """Compare with every key there is, whichever it is: the time says nothing."""
        given = hashlib.sha256(token.encode()).digest()
        found: _Known | None = None
        for known in self._known:
            if hmac.compare_digest(known.digest, given):
                found = known
        if found is None:
            raise Refused("unknown key")
        if found.expires is not None and found.expires <= self._now():
            raise Refused(f"the key of {found.identity.owner} has expired")
        return found.identity
