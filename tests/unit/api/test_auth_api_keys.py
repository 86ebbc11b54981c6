from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gateway.api.auth.api_keys import ApiKeys, digest_of, new_key
from agent_gateway.api.auth.credentials import TOKEN_LENGTH, Refused, peek, read_bearer
from agent_gateway.api.auth.principals import Grant, Identity, Principal
from agent_gateway.api.auth.throttle import ADDRESSES, Throttle, network
from agent_gateway.config.auth import CallerSettings
from agent_gateway.messages import Role

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def keys_of(key: str, **changes: object) -> ApiKeys:
    caller = CallerSettings.model_validate({"key_sha256": digest_of(key), "roles": ["viewer"], **changes})
    return ApiKeys({"alice": caller}, now=lambda: NOW)


async def test_a_key_is_known_by_its_hash() -> None:
    key = new_key()
    identity = await keys_of(key, roles=["operator"], personas=["bruno"]).identify(key)
    assert identity.owner == "key:alice"
    principal = identity.toward("bruno")
    assert principal == Principal(owner="key:alice", roles=("viewer", "operator"), personas=frozenset({"bruno"}))
    assert identity.toward("mary-kay") is None


async def test_other_keys_and_the_hash_itself_are_worth_nothing() -> None:
    key = new_key()
    for wrong in (new_key(), key[:-1], key + "A", key.upper(), digest_of(key)):
        with pytest.raises(Refused):
            await keys_of(key).identify(wrong)


async def test_a_key_ends_when_its_time_is_over() -> None:
    key = new_key()
    await keys_of(key, expires=NOW + timedelta(seconds=1)).identify(key)
    with pytest.raises(Refused):
        await keys_of(key, expires=NOW).identify(key)


def test_keys_are_long_and_never_the_same() -> None:
    made = {new_key() for _ in range(100)}
    assert len(made) == 100
    assert {len(key) for key in made} == {47}


def test_roles_for_one_persona_are_not_roles_for_another() -> None:
    def grant(role: Role, *personas: str) -> Grant:
        return Grant(roles=frozenset({role}), personas=frozenset(personas))

    identity = Identity(owner="x", grants=(grant("operator", "bruno"), grant("viewer", "mary-kay", "jamie")))
    seen = {name: identity.toward(name) for name in ("bruno", "mary-kay", "auditor", "")}
    roles = {name: found and found.roles for name, found in seen.items()}
    assert roles == {"bruno": ("operator",), "mary-kay": ("viewer",), "auditor": None, "": ("viewer", "operator")}
    everywhere = Identity(owner="x", grants=(grant("operator", "bruno"), grant("viewer")))
    auditor = everywhere.toward("auditor")
    assert auditor == Principal(owner="x", roles=("viewer",))


def headers(*values: bytes) -> dict[str, object]:
    return {"headers": [(b"host", b"x"), *((b"authorization", value) for value in values)]}


def test_a_bearer_token_is_read() -> None:
    assert read_bearer(headers(b"Bearer abc.DEF-_~+/==")) == "abc.DEF-_~+/=="
    assert read_bearer(headers(b"bearer   x")) == "x"
    assert read_bearer(headers()) is None


@pytest.mark.parametrize(
    "given",
    [(b"Bearer a", b"Bearer a"), (b"Bearer a", b"Basic eA=="), (b"",), (b"Bearer",), (b"Bearer ",), (b"Basic YTpi",),
     (b"Bearer a b",), (b"Bearer a,Bearer b",), (b"Bearer \xff",), (b"Bearer a\x00",), (b"a",),
     (b"Bearer " + b"a" * (TOKEN_LENGTH + 1),)],
)  # fmt: skip
def test_what_is_not_one_bearer_token_is_refused(given: tuple[bytes, ...]) -> None:
    with pytest.raises(Refused):
        read_bearer(headers(*given))


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda data: f"a.{data.hex()}.b"))
def test_looking_into_a_token_never_fails(token: str) -> None:
    assert peek(token).iss is None or "." in token


def test_failures_run_out_and_come_back() -> None:
    now = [0.0]
    throttle = Throttle(6, lambda: now[0])
    for _ in range(6):
        assert not throttle.exhausted("192.0.2.1")
        throttle.note("192.0.2.1")
    assert throttle.exhausted("192.0.2.1")
    assert not throttle.exhausted("192.0.2.2")
    assert 10 <= throttle.seconds("192.0.2.1") <= 11
    now[0] = 10.1
    assert not throttle.exhausted("192.0.2.1")
    unlimited = Throttle(0)
    unlimited.note("x")
    assert not unlimited.exhausted("x")


def test_addresses_are_forgotten_before_there_are_too_many() -> None:
    throttle = Throttle(1, lambda: 0.0)
    for number in range(ADDRESSES + 1):
        throttle.note(f"10.0.{number // 256}.{number % 256}")
    assert not throttle.exhausted("10.0.0.0")
    assert throttle.exhausted("10.0.0.1")


def test_a_network_of_one_customer_is_one_address() -> None:
    assert network("2001:db8::1") == network("2001:db8::ffff:2") != network("2001:db8:0:1::1")
    assert network("::ffff:192.0.2.1") == network("192.0.2.1") == "192.0.2.1"
    assert network("fe80::1%eth0") == network("fe80::2")
    assert network("a name") == "a name"
