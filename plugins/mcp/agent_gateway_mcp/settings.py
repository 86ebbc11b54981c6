"""What stands under `plugins.mcp` in the settings."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

import agent_gateway as ag

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,100}")


class ServerSettings(BaseModel):
    """One server: an address, or a command to start. Secrets are named here and read when they are needed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = ""
    #: The environment variable with a bearer token.
    token_env: str = ""
    #: By header, the environment variable with its value.
    headers_env: dict[str, str] = {}
    #: Certificates to trust instead of the system's.
    ca_file: Path | None = None
    command: str = ""
    args: list[str] = []
    #: The environment variables that the command is given, besides PATH and HOME.
    env: list[str] = []
    timeout_seconds: float = Field(default=30.0, gt=0, le=300)
    #: How large one answer may be.
    response_bytes: int = Field(default=1_000_000, ge=10_000, le=20_000_000)

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise ValueError("must begin with http:// or https:// and name a host")
        if parts.username is not None or parts.password is not None:
            raise ValueError("must hold no user or password: use token_env or headers_env")
        if parts.fragment:
            raise ValueError("must hold no fragment")
        return url

    @field_validator("env", mode="before")
    @classmethod
    def _check_env(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            detail = "must be a list of names of variables: their values stay in the environment"
            raise ValueError(detail)  # noqa: TRY004 - the one kind that pydantic tells
        return given

    @field_validator("env")
    @classmethod
    def _check_names(cls, names: list[str]) -> list[str]:
        for name in names:
            if not _VARIABLE.fullmatch(name):
                raise ValueError("must hold names of variables, and no values")
        return names

    @field_validator("headers_env")
    @classmethod
    def _check_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        for header, variable in headers.items():
            if not _HEADER.fullmatch(header) or not _VARIABLE.fullmatch(variable):
                raise ValueError("must name a variable of the environment for each header")
        return headers

    @model_validator(mode="after")
    def _check_kind(self) -> ServerSettings:
        if bool(self.url) is bool(self.command):
            raise ValueError("needs either a url or a command")
        if self.url and (self.args or self.env):
            raise ValueError("has a url: args and env belong to a command")
        if self.command and (self.token_env or self.headers_env or self.ca_file):
            raise ValueError("has a command: token_env, headers_env and ca_file belong to a url")
        if "=" in self.command:
            raise ValueError("must have a command without =")
        return self

    @property
    def told(self) -> str:
        """Where the server is, as it may be shown."""
        return self.url.partition("?")[0] or self.command

    def headers(self) -> dict[str, str]:
        """The credentials, read anew; `Unavailable` when a variable holds none."""
        found = {header: read_variable(variable) for header, variable in self.headers_env.items()}
        return found | ({"authorization": f"Bearer {read_variable(self.token_env)}"} if self.token_env else {})


class McpSettings(BaseModel):
    """The servers by name, and the file with the tools that were accepted."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    servers: dict[str, ServerSettings] = Field(default={}, validation_alias="mcpServers")
    accepted_file: Path = Path("mcp-accepted.json")

    @model_validator(mode="before")
    @classmethod
    def _check_once(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and {"servers", "mcpServers"} <= given.keys():
            raise ValueError("servers and mcpServers are the same: keep one of them")
        return given

    @field_validator("servers")
    @classmethod
    def _check_names(cls, servers: dict[str, ServerSettings]) -> dict[str, ServerSettings]:
        for name in servers:
            if not _NAME.fullmatch(name):
                raise ValueError(f"'{name[:60]}' is no name of a server: letters, digits, and _ . - between them")
        return servers


def read_variable(name: str) -> str:
    """The value of an environment variable; `Unavailable` when it holds nothing that can be sent."""
    value = os.environ.get(name, "").strip()
    if not value or not value.isascii() or not value.isprintable():
        detail = f"the environment variable {name} holds {'what cannot be sent' if value else 'no secret'}"
        raise ag.Unavailable(detail, code="mcp_credentials")
    # It may have changed since the gateway was started.
    ag.known_secrets.register(value)
    return value


def own_settings(settings: Mapping[str, BaseModel]) -> McpSettings:
    """The plugin's settings out of what a hook is given."""
    return next((each for each in settings.values() if isinstance(each, McpSettings)), McpSettings())
