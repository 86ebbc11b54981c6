"""What stands under `plugins.observability` in the settings."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

import agent_gateway as ag

_DAY = 86400
_HEADER = re.compile(r"[A-Za-z0-9-]{1,100}")
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})
_FROM_ENVIRONMENT = "use token_env or token_file, or username with password_env or password_file"


class ServerSettings(BaseModel):
    """One server: an address, and who asks. Secrets are named here and read when they are needed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    #: Sent with each request, such as X-Scope-OrgID; none of them is a secret.
    headers: dict[str, str] = {}
    token_env: str = ""
    token_file: Path | None = None
    username: str = ""
    password_env: str = ""
    password_file: Path | None = None
    #: Certificates to trust instead of the system's.
    ca_file: Path | None = None

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must begin with http:// or https:// and name a host")
        if parts.username is not None or parts.password is not None:
            raise ValueError(f"must hold no user or password: {_FROM_ENVIRONMENT}")
        if parts.query or parts.fragment:
            raise ValueError("must hold no query: it is the address in front of /api or /loki")
        return url.rstrip("/")

    @field_validator("headers")
    @classmethod
    def _check_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not _HEADER.fullmatch(name) or not value.isascii() or not value.isprintable():
                raise ValueError(f"'{name[:40]}' is no header")
            if name.lower() in _SECRET_HEADERS:
                raise ValueError(f"must not hold {name}: {_FROM_ENVIRONMENT}")
        return headers

    @model_validator(mode="after")
    def _check_secret(self) -> ServerSettings:
        token = [bool(self.token_env), self.token_file is not None]
        password = [bool(self.password_env), self.password_file is not None]
        if sum(token) > 1 or sum(password) > 1 or (any(token) and (any(password) or self.username)):
            raise ValueError("has more than one credential: " + _FROM_ENVIRONMENT)
        if bool(self.username) is not any(password):
            raise ValueError("username needs a password, and a password a username")
        return self

    def token(self) -> str:
        """The bearer token, read anew; empty when none is configured. `Unavailable` when it cannot be read."""
        return read_secret(self.token_env, self.token_file)

    def password(self) -> str:
        """The password, read anew, as above."""
        return read_secret(self.password_env, self.password_file)


def read_secret(variable: str, file: Path | None) -> str:
    """A secret from an environment variable or a file; empty when neither is named."""
    secret = ""
    if variable:
        secret = os.environ.get(variable, "").strip()
    elif file is not None:
        try:
            secret = file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            raise ag.Unavailable(f"the file {file} cannot be read", code="server_credentials") from None
    place = f"the environment variable {variable}" if variable else f"the file {file}"
    if (variable or file is not None) and not secret:
        raise ag.Unavailable(f"{place} holds no secret", code="server_credentials")
    if not secret.isascii() or not (secret.isprintable() or not secret):
        raise ag.Unavailable(f"{place} holds what cannot be sent", code="server_credentials")
    # It may have changed since the gateway was started.
    ag.known_secrets.register(secret)
    return secret


def _as_server(given: Any) -> Any:
    return {"url": given} if isinstance(given, str) else given


def _as_servers(given: Any) -> Any:
    return {"default": given} if isinstance(given, str) else given


def _or_none(given: Any) -> Any:
    return None if given == "" else given


Server = Annotated[ServerSettings, BeforeValidator(_as_server)]
#: By cluster; an address alone is that of the cluster `default`.
Servers = Annotated[dict[str, Server], BeforeValidator(_as_servers)]


class Limits(BaseModel):
    """What one call may cost. Lengths of time are in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    timeout_seconds: float = Field(default=20.0, gt=0, le=120)
    response_bytes: int = Field(default=8_000_000, ge=10_000, le=100_000_000)
    #: How long a range of metrics may be, and how far back a range like [1d] within a query.
    range_seconds: float = Field(default=7 * _DAY, gt=0)
    subquery_seconds: float = Field(default=_DAY, gt=0)
    #: Points of a series in a range, or of a subquery.
    points: int = Field(default=500, ge=2, le=11_000)
    #: Series that are asked for, and that are shown.
    series: int = Field(default=1000, ge=1, le=20_000)
    series_shown: int = Field(default=50, ge=1, le=500)
    log_range_seconds: float = Field(default=_DAY, gt=0)
    log_lines: int = Field(default=5000, ge=1, le=20_000)
    trace_range_seconds: float = Field(default=_DAY, gt=0)
    traces: int = Field(default=50, ge=1, le=500)
    #: Spans of one trace that are looked at.
    spans: int = Field(default=10_000, ge=10, le=100_000)


class ObservabilitySettings(BaseModel):
    """Servers by cluster, and the limits of a call. With `mcp` the tools are that server's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prometheus: Servers = {}
    loki: Servers = {}
    tempo: Servers = {}
    jaeger: Servers = {}
    mcp: Annotated[Server | None, BeforeValidator(_or_none)] = None
    #: The environment variable with the token that `agent-gateway mcp-observability` asks for, and `mcp` is shown.
    mcp_token_env: str = ""
    limits: Limits = Limits()
    #: What is run when somebody asks for "the error rate of checkout", see `named_queries`.
    queries: dict[str, str] = {}

    def of(self, kind: str) -> Mapping[str, ServerSettings]:
        """The servers of a kind: prometheus, loki, tempo or jaeger."""
        servers: Mapping[str, ServerSettings] = getattr(self, kind)
        return servers


def own_settings(settings: Mapping[str, BaseModel]) -> ObservabilitySettings:
    """The plugin's settings out of what a hook is given."""
    return next(
        (each for each in settings.values() if isinstance(each, ObservabilitySettings)), ObservabilitySettings()
    )
