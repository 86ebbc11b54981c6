"""Tokens of OpenID Connect providers: verified with their public keys, then read by what the settings say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jwt

from agent_gateway.api.auth.credentials import Refused, peek
from agent_gateway.api.auth.principals import OWNER_LENGTH, Grant, Identity
from agent_gateway.api.auth.signing_keys import SigningKeys
from agent_gateway.config.auth import ClaimGrant, IssuerSettings

#: Claims that are one text of several words.
_WORDS = frozenset({"scope", "scp"})


class IdTokens:
    """Implements `Method` for all providers; a token is for the one that it says issued it."""

    name = "oidc"

    def __init__(self, issuers: Mapping[str, IssuerSettings]) -> None:
        self._issuers = {settings.issuer: Issuer(name, settings) for name, settings in issuers.items()}

    def takes(self, token: str) -> bool:
        """Whether it says that one of the providers issued it."""
        return self._issuer(token) is not None

    def is_local(self, token: str) -> bool:
        """The keys are here, or are asked for so rarely that nobody can make it more often."""
        del token
        return True

    async def identify(self, token: str) -> Identity:
        """Verify it with its provider's keys."""
        issuer = self._issuer(token)
        if issuer is None:
            raise Refused("unknown issuer")
        return await issuer.identify(token)

    def _issuer(self, token: str) -> Issuer | None:
        said = peek(token).iss
        return self._issuers.get(said) if isinstance(said, str) else None


class Issuer:
    """One provider."""

    def __init__(self, name: str, settings: IssuerSettings) -> None:
        self._name = name
        self._settings = settings
        self._keys = SigningKeys(settings)
        self._grants = tuple((each, Grant.of(each)) for each in settings.grants)

    async def identify(self, token: str) -> Identity:
        """Verify a token and read who it is for."""
        claims = await self._verify(token)
        owner = claim_at(claims, self._settings.owner_claim)
        if not isinstance(owner, str) or not owner.isprintable() or not 0 < len(owner) <= OWNER_LENGTH:
            raise Refused(f"the claim {self._settings.owner_claim} names nobody")
        grants = tuple(grant for settings, grant in self._grants if applies(settings, claims))
        return Identity(owner=f"oidc:{self._name}:{owner}", grants=grants)

    async def _verify(self, token: str) -> dict[str, Any]:
        settings = self._settings
        try:
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            if algorithm not in settings.algorithms:
                raise Refused("the algorithm is not allowed")
            key = await self._keys.find(header.get("kid", ""), algorithm)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=settings.audience,
                issuer=settings.issuer,
                leeway=settings.leeway_seconds,
                options={"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True},
            )
        except (jwt.PyJWTError, ValueError, OverflowError, RecursionError) as error:
            # Its own text may quote the token.
            raise Refused(type(error).__name__) from None
        return claims


def claim_at(claims: Mapping[str, Any], path: str) -> Any:
    """Return a claim by its name, or by the names that lead to it; None when there is none."""
    if path in claims:
        return claims[path]
    here: Any = claims
    for part in path.split("."):
        here = here.get(part) if isinstance(here, Mapping) else None
    return here


def applies(settings: ClaimGrant, claims: Mapping[str, Any]) -> bool:
    """Whether a grant is for a token with these claims."""
    held = set(values_of(settings.claim, claim_at(claims, settings.claim)))
    return bool(held) if settings.value == "*" else settings.value in held


def values_of(name: str, claim: Any) -> Iterator[str]:
    """Yield the texts of a claim: itself, its words where it is a list of them, or its items."""
    if isinstance(claim, str):
        yield from claim.split() if name in _WORDS else (claim,)
    elif isinstance(claim, list):
        yield from (each for each in claim if isinstance(each, str))
