"""Who may use the gateway over HTTP: API keys, tokens of identity providers, and of Kubernetes service accounts."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from agent_gateway.config.scalars import Count, Number, Section, split_list
from agent_gateway.messages import Role

#: Signatures that are made with a key nobody here has. No `none`, and nothing with a shared secret.
Algorithm: TypeAlias = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def widen_day(value: Any) -> Any:
    """Understand a day as its first moment, UTC."""
    if isinstance(value, str) and _DAY.fullmatch(value.strip()):
        try:
            value = date.fromisoformat(value.strip())
        except ValueError:
            return value  # pydantic says what is wrong with it
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time(), UTC)
    return value


def assume_utc(value: datetime) -> datetime:
    """Take a time without a zone as UTC."""
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


def check_url(value: str) -> str:
    """Refuse an address that somebody on the way could answer for: keys from there decide who comes in."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc or parts.fragment:
        raise ValueError("must be like https://id.example.org/realms/home")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must be https, unless it is on this machine")
    return value


def is_loopback(host: str) -> bool:
    """Tell whether a name or address can only mean this machine."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


def check_file(value: str) -> str:
    """Refuse a file that is not there, or that would be looked for in whatever folder the gateway is started in."""
    if value and not Path(value).is_absolute():
        raise ValueError("must be an absolute path")
    if value and not Path(value).is_file():
        raise ValueError("there is no such file")
    return value


Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$")]
Text = Annotated[str, Field(min_length=1, max_length=500)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(split_list)]
Url = Annotated[str, AfterValidator(check_url)]
Moment = Annotated[datetime, BeforeValidator(widen_day), AfterValidator(assume_utc)]


class GrantSettings(Section):
    """`roles` for `personas`, or for all of them when none is named."""

    roles: Annotated[tuple[Role, ...], BeforeValidator(split_list), Field(min_length=1)]
    personas: Texts = ()


class CallerSettings(GrantSettings):
    """Who has an API key. Only its SHA-256 is here, in hexadecimal; from `expires` on it is worth nothing."""

    key_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    expires: Moment | None = None


class ClaimGrant(GrantSettings):
    """For tokens whose claim is, or contains, `value`; `*` is any value. A dot leads into a claim."""

    claim: Text = "groups"
    value: Text


class IssuerSettings(Section):
    """An OpenID Connect provider. Without `jwks_url` its discovery document names it."""

    issuer: Url
    audience: Annotated[Texts, Field(min_length=1)]
    jwks_url: Annotated[str, AfterValidator(lambda value: value and check_url(value))] = ""
    ca_file: Annotated[str, AfterValidator(check_file)] = ""
    algorithms: Annotated[tuple[Algorithm, ...], BeforeValidator(split_list), Field(min_length=1)] = ("RS256", "ES256")
    leeway_seconds: Annotated[Number, Field(ge=0, le=300)] = 30.0
    owner_claim: Text = "sub"
    grants: Annotated[tuple[ClaimGrant, ...], Field(min_length=1)]


class SubjectGrant(GrantSettings):
    """For a user, such as `system:serviceaccount:NAMESPACE:NAME`, or for everybody in a group."""

    user: str = ""
    group: str = ""

    @model_validator(mode="after")
    def name_one(self) -> Self:
        """Refuse what names nobody, or two."""
        if bool(self.user) == bool(self.group):
            raise ValueError("must name a user or a group")
        return self


class KubernetesAuthSettings(Section):
    """Tokens that a cluster's API server reviews; `cluster` is one of the gateway's, its default one when empty."""

    cluster: str = ""
    audience: Annotated[Texts, Field(min_length=1)]
    cache_seconds: Annotated[Number, Field(ge=0, le=600)] = 60.0
    grants: Annotated[tuple[SubjectGrant, ...], Field(min_length=1)]


class AuthSettings(Section):
    """Who comes in. With nobody named here, everybody who reaches the socket does, with every role.

    `failures_per_minute`: attempts with wrong credentials that an address has, 0 for no limit.
    """

    callers: Mapping[Name, CallerSettings] = {}
    issuers: Mapping[Name, IssuerSettings] = {}
    kubernetes: KubernetesAuthSettings | None = None
    failures_per_minute: Annotated[Count, Field(ge=0)] = 60

    @property
    def configured(self) -> bool:
        """Whether credentials are asked for."""
        return bool(self.callers or self.issuers or self.kubernetes)

    @model_validator(mode="after")
    def tell_apart(self) -> Self:
        """Refuse two names for one key or one provider: whose a conversation is would depend on their order."""
        if len({caller.key_sha256 for caller in self.callers.values()}) < len(self.callers):
            raise ValueError("two callers have the same key")
        if len({issuer.issuer for issuer in self.issuers.values()}) < len(self.issuers):
            raise ValueError("two issuers are the same")
        return self
