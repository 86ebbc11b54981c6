"""The public keys of an identity provider: fetched when they are needed, kept a while, asked for again with measure."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import msgspec
import structlog

from agent_gateway.api.auth.credentials import Refused
from agent_gateway.config.auth import IssuerSettings, check_url
from agent_gateway.errors import Unavailable

#: After this the keys are fetched again; as long as that fails, the old ones count until they are a day old.
FRESH_SECONDS, STALE_SECONDS = 600.0, 86_400.0
#: Between two attempts to fetch, whatever unknown keys tokens name: anybody can write such a token.
RETRY_SECONDS = 10.0
FETCH_SECONDS = 5.0
BODY_LIMIT = 1_048_576

_DISCOVERY = "/.well-known/openid-configuration"

_log = structlog.get_logger(__name__)


class Key(msgspec.Struct, frozen=True):
    """What is read of a JSON Web Key beside the key itself."""

    kty: str
    kid: str = ""
    use: str = "sig"
    alg: str = ""


class KeySet(msgspec.Struct, frozen=True):
    """A JSON Web Key Set."""

    keys: list[dict[str, Any]]


class SigningKeys:
    """The keys of one provider. Make it in a worker thread: trusted certificates are read."""

    def __init__(self, settings: IssuerSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._trust = ssl.create_default_context(cafile=settings.ca_file) if settings.ca_file else _public_trust()
        self._keys: dict[tuple[str, str], jwt.PyJWK] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._fetching = asyncio.Lock()

    async def find(self, kid: str, algorithm: str) -> jwt.PyJWK:
        """Return the key that a token names; without a name, the only one there is for its algorithm.

        `Refused` when there is none, also after another look; `Unavailable` when the provider cannot be asked.
        """
        if self._age > FRESH_SECONDS or self._choose(kid, algorithm) is None:
            await self._refresh()
        if self._age > STALE_SECONDS:
            raise Unavailable(
                "The identity provider cannot be reached, so tokens cannot be checked.",
                code="identity_provider_unreachable",
                retry_after=int(RETRY_SECONDS),
            )
        found = self._choose(kid, algorithm)
        if found is None:
            raise Refused("the provider has no such key")
        return found

    @property
    def _age(self) -> float:
        return float("inf") if self._fetched is None else self._clock() - self._fetched

    def _choose(self, kid: str, algorithm: str) -> jwt.PyJWK | None:
        if kid:
            return self._keys.get((kid, algorithm))
        fitting = [key for (_, name), key in self._keys.items() if name == algorithm]
        return fitting[0] if len(fitting) == 1 else None

    async def _refresh(self) -> None:
        """Fetch the keys, once for all who wait for them, unless that was tried a moment ago."""
        async with self._fetching:
            if self._tried is not None and self._clock() - self._tried < RETRY_SECONDS:
                return
            self._tried = self._clock()
            try:
                async with asyncio.timeout(FETCH_SECONDS):
                    self._keys = self._read(await self._fetch())
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, TimeoutError) as error:
                _log.warning("signing_keys_not_fetched", issuer=self._settings.issuer, error=str(error) or repr(error))
                return
            self._fetched = self._clock()
            _log.info("signing_keys_fetched", issuer=self._settings.issuer, keys=len(self._keys))

    async def _fetch(self) -> list[dict[str, Any]]:
        async with httpx.AsyncClient(trust_env=False, verify=self._trust, timeout=FETCH_SECONDS) as http:
            url = self._settings.jwks_url
            if not url:
                document = await _get(http, self._settings.issuer.rstrip("/") + _DISCOVERY)
                if document.get("issuer") != self._settings.issuer:
                    raise ValueError("the discovery document is another issuer's")
                url = check_url(str(document.get("jwks_uri")))
            return msgspec.convert(await _get(http, url), KeySet).keys

    def _read(self, keys: list[dict[str, Any]]) -> dict[tuple[str, str], jwt.PyJWK]:
        found: dict[tuple[str, str], jwt.PyJWK] = {}
        for number, each in enumerate(keys):
            try:
                key = msgspec.convert(each, Key)
            except msgspec.ValidationError:
                continue
            if key.use != "sig":
                continue
            for algorithm in self._settings.algorithms:
                made = _make(each, algorithm) if key.alg in {"", algorithm} else None
                if made is not None:
                    found[key.kid or f"#{number}", algorithm] = made
        return found


def _make(key: dict[str, Any], algorithm: str) -> jwt.PyJWK | None:
    """Make the key for one algorithm; None when it is of another kind, above all a shared secret."""
    try:
        made = jwt.PyJWK(key, algorithm)
    except jwt.PyJWTError:
        return None
    curve = getattr(getattr(made.key, "curve", None), "name", "")
    return made if not algorithm.startswith("ES") or curve == _CURVES[algorithm] else None


_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}


async def _get(http: httpx.AsyncClient, url: str) -> dict[str, Any]:
    async with http.stream("GET", url, headers={"accept": "application/json"}) as response:
        response.raise_for_status()
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > BODY_LIMIT:
                raise ValueError("the document is too long")
    return msgspec.json.decode(body, type=dict[str, Any])


def _public_trust() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
