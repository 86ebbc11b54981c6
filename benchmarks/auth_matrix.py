"""Who gets in where: every route of every port, asked with every kind of credential.

    python -m benchmarks.auth_matrix

The routes are those that the applications route, so that a new one is in the table by itself; one that says no role is
a finding. A cell is wrong when it answers where it should refuse, refuses where it should answer, or refuses otherwise
than it should. The gateway is a real server on loopback over an edge in memory, the identity provider one beside it.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
from litestar.routes import HTTPRoute
from tests.identity_provider import AUDIENCE, IdentityProvider, identity_provider
from tests.live_edge import LiveEdge, live_edge
from tests.memory_gateway import TOKEN, MemoryGateway

from agent_gateway.api.apps import build_apps
from agent_gateway.api.auth.api_keys import digest_of, new_key
from agent_gateway.api.documentation import roles_of
from agent_gateway.api.edge import Apps, EdgeSettings
from agent_gateway.api.streams import Streams
from agent_gateway.config.auth import AuthSettings
from agent_gateway.messages import ROLES, Role

AppName = Literal["persona", "gateway", "control"]
Headers = tuple[tuple[str, str], ...]

#: Answers that keep somebody out.
REFUSALS = (401, 403, 429)
FREE = ("/livez", "/readyz")


@dataclass(frozen=True)
class Rule:
    """A method of a route, and the roles it says it is for."""

    app: AppName
    method: str
    path: str
    roles: tuple[Role, ...]


@dataclass(frozen=True)
class Door:
    """An address at which an application answers: for a persona, unless it is the gateway's own."""

    name: str
    url: str
    app: AppName
    persona: str = ""
    control: bool = False


@dataclass(frozen=True)
class Credential:
    """What is sent, and what it should be worth: roles for personas, for all when empty; without roles nothing."""

    name: str
    headers: Headers = field(default=(), repr=False)
    roles: tuple[Role, ...] = ()
    personas: tuple[str, ...] = ()
    control: bool = False
    query: str = field(default="", repr=False)


@dataclass(frozen=True)
class Cell:
    """One question and its answer; `wanted` is None where it should answer, whatever that is."""

    door: Door
    rule: Rule
    credential: Credential
    status: int
    wanted: int | None

    @property
    def right(self) -> bool:
        """Whether it is as it should be."""
        return self.status == self.wanted if self.wanted else self.status not in {*REFUSALS, 500}


def rules_of(apps: Apps) -> Iterator[Rule]:
    """Yield every rule there is, and for each application one of a path that is nowhere."""
    applications: dict[AppName, Any] = {"persona": apps.persona, "gateway": apps.gateway, "control": apps.control}
    for name, app in applications.items():
        for route in app.routes:
            if not isinstance(route, HTTPRoute):
                raise TypeError(f"{route.path} is no HTTP route: this table does not know how to ask it")
            for handler in route.route_handlers:
                for method in sorted(handler.http_methods - {"OPTIONS"}):
                    yield Rule(name, method, route.path, roles_of(handler.opt, method))
        yield Rule(name, "GET", "/nowhere", ROLES)


def doors_of(live: LiveEdge) -> tuple[Door, ...]:
    """List every address of a gateway that serves bruno and mary-kay."""
    gateway, control = live.url("gateway"), live.url("control")
    return (
        Door("port of bruno", live.url("bruno"), "persona", "bruno"),
        Door("port of mary-kay", live.url("mary-kay"), "persona", "mary-kay"),
        Door("gateway, below bruno", f"{gateway}/personas/bruno", "persona", "bruno"),
        Door("gateway, below mary-kay", f"{gateway}/personas/mary-kay", "persona", "mary-kay"),
        Door("gateway", gateway, "gateway"),
        Door("control, below bruno", f"{control}/personas/bruno", "persona", "bruno", control=True),
        Door("control", control, "control", control=True),
    )


def wanted(door: Door, rule: Rule, credential: Credential) -> int | None:
    """Say which refusal is due; None for none."""
    if door.control:
        return None if credential.control else 401
    if not credential.roles:
        return 401
    if door.persona and credential.personas and door.persona not in credential.personas:
        return 403
    held = {*credential.roles, *(("viewer",) if "operator" in credential.roles else ())}
    return None if held & set(rule.roles) else 403


class Wallet:
    """Credentials of every kind, and the settings that make them what they are."""

    def __init__(self, provider: IdentityProvider) -> None:
        self._provider = provider
        self._callers: dict[str, dict[str, object]] = {}
        self.credentials: tuple[Credential, ...] = (*self._worthless(), *self._keys(), *self._tokens())

    @property
    def settings(self) -> AuthSettings:
        """The settings of a gateway that knows these."""
        grants = [{"value": f"{role}s", "roles": [role]} for role in ROLES]
        grants.append({"value": "mary", "roles": list(ROLES), "personas": ["mary-kay"]})
        issuer = {"issuer": self._provider.url, "audience": AUDIENCE, "grants": grants}
        given = {"callers": self._callers, "issuers": {"home": issuer}, "failures_per_minute": 0}
        return AuthSettings.model_validate(given)

    def _key(self, roles: Sequence[Role], personas: Sequence[str] = (), **changes: object) -> str:
        key = new_key()
        name = f"caller{len(self._callers)}"
        self._callers[name] = {"key_sha256": digest_of(key), "roles": roles, "personas": personas, **changes}
        return key

    def _worthless(self) -> Iterator[Credential]:
        key, now = self._key(ROLES), int(time.time())
        yield Credential("none")
        yield Credential("wrong key", bearer(new_key()))
        yield Credential("expired key", bearer(self._key(ROLES, expires="2020-01-01")))
        yield Credential("hash of a key", bearer(digest_of(key)))
        yield Credential("empty", bearer(""))
        yield Credential("key as password", (("authorization", f"Basic {key}"),))
        yield Credential("key twice", bearer(key) * 2)
        yield Credential("key in the query", query=f"?access_token={key}&token={key}")
        yield Credential("key in a cookie", (("cookie", f"authorization=Bearer {key}"),))
        yield Credential("key in another header", (("x-forwarded-authorization", f"Bearer {key}"), ("x-api-key", key)))
        yield Credential("expired token", bearer(self._provider.token(exp=now - 100, groups=["operators"])))
        yield Credential("token of a stranger", bearer(self._provider.token("stranger", groups=["operators"])))
        yield Credential("token for another", bearer(self._provider.token(aud="another", groups=["operators"])))
        yield Credential("token of another", bearer(self._provider.token(iss="https://id.example")))
        yield Credential("control token", bearer(TOKEN.replace(" ", "-")), control=True)

    def _keys(self) -> Iterator[Credential]:
        for role in ROLES:
            yield Credential(f"key, {role}", bearer(self._key([role])), (role,))
        for persona in ("bruno", "mary-kay"):
            yield Credential(f"key, all for {persona}", bearer(self._key(ROLES, [persona])), ROLES, (persona,))

    def _tokens(self) -> Iterator[Credential]:
        for role in ROLES:
            yield Credential(f"token, {role}", bearer(self._provider.token(groups=[f"{role}s"])), (role,))
        yield Credential("token, all for mary-kay", bearer(self._provider.token(groups=["mary"])), ROLES, ("mary-kay",))


def bearer(token: str) -> Headers:
    """The header of a token."""
    return (("authorization", f"Bearer {token}".rstrip()),)


@asynccontextmanager
async def guarded_gateway() -> AsyncIterator[tuple[LiveEdge, Wallet, tuple[Rule, ...]]]:
    """Serve a gateway with authentication; yields it, the credentials, and the rules of its applications."""
    async with identity_provider() as provider:
        wallet, gateway = Wallet(provider), MemoryGateway()
        settings = EdgeSettings(control_token=TOKEN.replace(" ", "-"), auth=wallet.settings)
        rules = tuple(rules_of(build_apps(gateway.edge(settings), Streams())))
        async with live_edge(gateway, settings) as live:
            yield live, wallet, rules


async def ask_all(live: LiveEdge, wallet: Wallet, rules: Sequence[Rule]) -> list[Cell]:
    """Ask every rule at every door with every credential."""
    cells = []
    async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
        for door in doors_of(live):
            for rule in rules:
                if rule.app == door.app:
                    cells += [await ask(http, door, rule, each) for each in wallet.credentials]
            for path in FREE:
                rule = Rule(door.app, "GET", path, ROLES)
                status = (await http.get(door.url + path)).status_code
                cells.append(Cell(door, rule, Credential("none"), status, None))
    return cells


async def ask(http: httpx.AsyncClient, door: Door, rule: Rule, credential: Credential) -> Cell:
    """Ask once; ids are of nothing that exists."""
    path = re.sub(r"\{\w+:str\}", "absent", rule.path)
    url = f"{door.url}{path}{credential.query}"
    response = await http.request(rule.method, url, headers=list(credential.headers))
    return Cell(door, rule, credential, response.status_code, wanted(door, rule, credential))


async def main() -> int:
    async with guarded_gateway() as (live, wallet, rules):
        cells = await ask_all(live, wallet, rules)
    silent = [rule for rule in rules if not rule.roles]
    for credential in dict.fromkeys(cell.credential for cell in cells):
        of = [cell for cell in cells if cell.credential == credential]
        counts = Counter("answered" if cell.status not in REFUSALS else str(cell.status) for cell in of)
        told = "  ".join(f"{name} {counts[name]:>3}" for name in ("answered", "401", "403"))
        print(f"{credential.name:<26} {told}  wrong {sum(not cell.right for cell in of)}")
    wrong = [cell for cell in cells if not cell.right]
    for cell in wrong:
        asked = f"{cell.door.name}: {cell.rule.method} {cell.rule.path} with {cell.credential.name}"
        print(f"WRONG: {asked}: {cell.status}")
    for rule in silent:
        print(f"WITHOUT A RULE: {rule.app} {rule.method} {rule.path}")
    print(f"{len(cells)} cells, {len(wrong)} wrong; {len(rules)} rules, {len(silent)} without a role")
    return int(bool(wrong or silent))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
