"""Serves the tools over MCP in a process of their own."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

import agent_gateway as ag

from .server import App, make_app
from .settings import ObservabilitySettings, read_secret
from .tools import query_tools

if TYPE_CHECKING:
    import uvicorn

#: Answers that are under way have so many seconds to end when the process is asked to.
_GRACE = 10
_SECTION = "plugins.observability"


def read_settings(file: Path) -> ObservabilitySettings:
    """The section `plugins.observability` of a settings file; `ConfigurationError` with all that is wrong with it."""
    try:
        written = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ag.ConfigurationError((ag.Fault(str(file), _SECTION, "the file cannot be read as text"),)) from None
    except yaml.YAMLError as error:
        detail = " ".join(str(error).split())
        raise ag.ConfigurationError((ag.Fault(str(file), _SECTION, f"this is no YAML: {detail}"),)) from None
    section = _below(_below(written, "plugins"), "observability")
    try:
        return ObservabilitySettings.model_validate(section)
    except ValidationError as error:
        # What was written is not shown: it may hold a secret in the wrong place.
        faults = error.errors(include_input=False, include_url=False)
        raise ag.ConfigurationError(
            tuple(ag.Fault(str(file), ".".join([_SECTION, *map(str, each["loc"])]), each["msg"]) for each in faults)
        ) from None


def listen(host: str, port: int, *, open_to_all: bool) -> socket.socket:
    """A socket that listens; `Unavailable` when the address cannot be had, or should not without a token."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        if open_to_all and not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback:
            detail = f"whoever reaches {host} could query the servers: no token is asked for"
            hint = f"set {_SECTION}.mcp_token_env, or listen on 127.0.0.1"
            raise ag.Unavailable(detail, code="not_loopback", hint=hint)
        return socket.create_server((str(address[0]), port), family=family)
    except OSError as error:
        raise ag.Unavailable(f"{host} port {port} cannot be listened on: {error.strerror}", code="port_taken") from None


def serve(settings: ObservabilitySettings, host: str, port: int, told: Callable[[str], None]) -> None:
    """Serve until the process is asked to end; `told` is called with the address once it can be used."""
    token = read_secret(settings.mcp_token_env, None)
    with listen(host, port, open_to_all=not token) as listening:
        server = make_web_server(make_app(query_tools(settings), token, host))
        shown = f"[{host}]" if ":" in host else host
        told(f"http://{shown}:{listening.getsockname()[1]}/mcp")
        server.run(sockets=[listening])


def make_web_server(app: App) -> uvicorn.Server:
    """What serves an ASGI application on sockets that it is given."""
    import uvicorn  # noqa: PLC0415 - plugins are also loaded to be listed, and this takes a while

    return uvicorn.Server(
        uvicorn.Config(app, log_level="warning", lifespan="on", server_header=False, timeout_graceful_shutdown=_GRACE)
    )


def _below(mapping: Any, key: str) -> Any:
    found = mapping.get(key) if isinstance(mapping, dict) else None
    return {} if found is None else found
