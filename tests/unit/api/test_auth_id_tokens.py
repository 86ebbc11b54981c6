from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from jwt.algorithms import RSAAlgorithm
from tests.identity_provider import (
    AUDIENCE,
    IdentityProvider,
    ec_key,
    identity_provider,
    public_pem,
    published,
    published_ec,
    rsa_key,
)

from agent_gateway.api.auth.credentials import Refused
from agent_gateway.api.auth.id_tokens import IdTokens
from agent_gateway.api.auth.signing_keys import FRESH_SECONDS, RETRY_SECONDS, STALE_SECONDS, SigningKeys
from agent_gateway.config.auth import IssuerSettings
from agent_gateway.errors import Unavailable


@pytest.fixture
async def provider() -> AsyncIterator[IdentityProvider]:
    async with identity_provider() as made:
        yield made


def settings_of(provider: IdentityProvider, **changes: Any) -> IssuerSettings:
    grants = [
        {"claim": "groups", "value": "ops", "roles": ["operator"], "personas": ["bruno"]},
        {"claim": "realm_access.roles", "value": "judge", "roles": ["approver"]},
        {"claim": "scope", "value": "ask", "roles": ["viewer"], "personas": ["jamie"]},
    ]
    return IssuerSettings.model_validate({"issuer": provider.url, "audience": AUDIENCE, "grants": grants, **changes})


def tokens_of(provider: IdentityProvider, **changes: Any) -> IdTokens:
    return IdTokens({"home": settings_of(provider, **changes)})


async def test_a_token_says_who_asks_and_its_claims_what_they_may_do(provider: IdentityProvider) -> None:
    tokens = tokens_of(provider)
    identity = await tokens.identify(provider.token(groups=["ops", "x"]))
    assert identity.owner == "oidc:home:alice"
    principal = identity.toward("bruno")
    assert principal is not None
    assert principal.roles == ("viewer", "operator")
    assert identity.toward("mary-kay") is None
    nested = (await tokens.identify(provider.token(realm_access={"roles": ["judge"]}))).toward("mary-kay")
    assert nested is not None
    assert nested.roles == ("approver",)
    worded = await tokens.identify(provider.token(scope="openid ask"))
    assert (worded.toward("jamie") is not None, worded.toward("bruno")) == (True, None)
    assert (await tokens.identify(provider.token())).grants == ()


def forged(provider: IdentityProvider) -> dict[str, str]:
    """Tokens that each break one rule."""
    now = int(time.time())
    good = provider.token()
    head, body, signature = good.split(".")
    other = base64.urlsafe_b64encode(json.dumps(provider.claims(sub="root")).encode()).rstrip(b"=").decode()
    hs_head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"first"}').rstrip(b"=").decode()
    deep = base64.urlsafe_b64encode(b'{"alg":' + b"[" * 3000).rstrip(b"=").decode()
    return {
        "not signed": jwt.encode(provider.claims(), "", "none", headers={"kid": "first"}),
        "no signature": f"{head}.{body}.",
        "another's claims": f"{head}.{other}.{signature}",
        "the public key as a secret": hmac_with_public_key(hs_head, body),
        "an unknown key": provider.token("stranger"),
        "a known name, another key": jwt.encode(provider.claims(), rsa_key("stranger"), "RS256", {"kid": "first"}),
        "an algorithm that is not allowed": jwt.encode(provider.claims(), rsa_key("first"), "PS256", {"kid": "first"}),
        "expired": provider.token(exp=now - 60),
        "without an end": provider.token(exp=None),
        "not yet": provider.token(nbf=now + 600),
        "for somebody else": provider.token(aud="another-service"),
        "for nobody": provider.token(aud=None),
        "of nobody": provider.token(sub=None),
        "of somebody without a name": provider.token(sub=""),
        "of somebody who breaks lines": provider.token(sub="alice\nadmin"),
        "nested deeply": f"{deep}.{body}.{signature}",
        "an extension nobody knows": provider.token(headers={"crit": ["x"], "x": 1}),
    }


def hmac_with_public_key(head: str, body: str) -> str:
    signed = hmac.new(public_pem("first"), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{base64.urlsafe_b64encode(signed).rstrip(b'=').decode()}"


async def test_a_token_that_breaks_a_rule_is_refused(provider: IdentityProvider) -> None:
    tokens = tokens_of(provider)
    accepted = []
    for name, token in forged(provider).items():
        assert tokens.takes(token), name
        try:
            await tokens.identify(token)
        except Refused:
            continue
        accepted.append(name)
    assert accepted == []
    await tokens.identify(provider.token())


async def test_a_little_difference_of_clocks_is_forgiven(provider: IdentityProvider) -> None:
    now = int(time.time())
    assert (await tokens_of(provider).identify(provider.token(exp=now - 10, nbf=now + 10))).owner == "oidc:home:alice"
    with pytest.raises(Refused):
        await tokens_of(provider, leeway_seconds=0).identify(provider.token(exp=now - 10))


async def test_only_tokens_of_a_known_issuer_are_looked_at(provider: IdentityProvider) -> None:
    tokens = tokens_of(provider)
    assert not any(map(tokens.takes, [provider.token(iss="https://id.example"), "a.b.c", "opaque", "agw_x", "..", ""]))
    assert provider.asked == []


async def test_an_elliptic_key_is_for_its_own_algorithm(provider: IdentityProvider) -> None:
    provider.keys.append(published_ec("curve"))
    tokens = tokens_of(provider, algorithms=["RS256", "ES256", "ES384"])
    await tokens.identify(jwt.encode(provider.claims(), ec_key("curve"), "ES256", {"kid": "curve"}))
    with pytest.raises(Refused):
        await tokens.identify(jwt.encode(provider.claims(), rsa_key("first"), "RS256", {"kid": "curve"}))


async def test_keys_that_are_no_use_are_left_out(provider: IdentityProvider) -> None:
    secret = base64.urlsafe_b64encode(b"s" * 32).decode().rstrip("=")
    provider.keys = [
        {"kty": "oct", "k": secret, "kid": "shared"},
        published("first", use="enc"),
        {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
        {"no": "key"},
        published("second", alg="PS256"),
    ]
    tokens = tokens_of(provider)
    for token in (provider.token(), provider.token("second"), provider.token("broken")):
        with pytest.raises(Refused):
            await tokens.identify(token)


async def test_a_short_key_is_no_key(provider: IdentityProvider) -> None:
    short = rsa_key("short", 1024)
    provider.keys = [{**RSAAlgorithm.to_jwk(short.public_key(), as_dict=True), "kid": "short"}]
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = jwt.encode(provider.claims(), short, "RS256", {"kid": "short"})
    with pytest.raises(Refused):
        await tokens_of(provider).identify(token)


async def test_a_token_without_a_key_name_is_checked_with_the_only_key(provider: IdentityProvider) -> None:
    token = jwt.encode(provider.claims(), rsa_key("first"), "RS256")
    await tokens_of(provider).identify(token)
    provider.keys.append(published("second"))
    with pytest.raises(Refused):
        await tokens_of(provider).identify(token)


async def test_keys_are_fetched_once_for_all_who_wait(provider: IdentityProvider) -> None:
    tokens = tokens_of(provider)
    await asyncio.gather(*(tokens.identify(provider.token(sub=f"user{number}")) for number in range(20)))
    assert provider.asked == ["/.well-known/openid-configuration", "/keys"]


async def test_a_named_address_of_the_keys_needs_no_discovery(provider: IdentityProvider) -> None:
    await tokens_of(provider, jwks_url=f"{provider.url}/keys").identify(provider.token())
    assert provider.asked == ["/keys"]


async def test_discovery_of_another_issuer_is_not_believed(provider: IdentityProvider) -> None:
    provider.says = "https://id.example"
    with pytest.raises(Unavailable):
        await tokens_of(provider).identify(provider.token())
    assert "/keys" not in provider.asked


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_an_unknown_key_is_asked_for_again_but_not_by_everybody_who_makes_one_up(
    provider: IdentityProvider,
) -> None:
    clock = Clock()
    keys = SigningKeys(settings_of(provider, jwks_url=f"{provider.url}/keys"), clock)
    await keys.find("first", "RS256")
    provider.keys = [published("second")]
    for number in range(50):
        with pytest.raises(Refused):
            await keys.find(f"made-up-{number}", "RS256")
    assert len(provider.asked) == 1
    clock.now += RETRY_SECONDS
    await keys.find("second", "RS256")
    assert len(provider.asked) == 2
    with pytest.raises(Refused):
        await keys.find("first", "RS256")


async def test_keys_count_while_the_provider_is_away_but_not_for_ever(provider: IdentityProvider) -> None:
    clock = Clock()
    keys = SigningKeys(settings_of(provider, jwks_url=f"{provider.url}/keys"), clock)
    await keys.find("first", "RS256")
    provider.down = True
    clock.now += FRESH_SECONDS + 1
    await keys.find("first", "RS256")
    await keys.find("first", "RS256")
    assert len(provider.asked) == 2
    clock.now += STALE_SECONDS
    with pytest.raises(Unavailable) as caught:
        await keys.find("first", "RS256")
    assert caught.value.code == "identity_provider_unreachable"
    provider.down = False
    clock.now += RETRY_SECONDS
    await keys.find("first", "RS256")


async def test_a_provider_that_was_never_reached_is_no_refusal(provider: IdentityProvider) -> None:
    provider.down = True
    with pytest.raises(Unavailable):
        await tokens_of(provider).identify(provider.token())
