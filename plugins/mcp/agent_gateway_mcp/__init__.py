"""MCP: personas use the tools of MCP servers, as they were accepted and no others."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import wait
from typing import TYPE_CHECKING

from pydantic import BaseModel

import agent_gateway as ag

from .checks import checks
from .commands import add_commands
from .sessions import Session
from .settings import McpSettings, own_settings
from .tools import accepted_tools

if TYPE_CHECKING:
    import typer

#: Longer than a command takes that has to be made to end.
_END_SECONDS = 9.0
_SESSIONS: list[Session] = []


@ag.hookimpl
def register_settings() -> type[BaseModel]:
    """Have `plugins.mcp` validated."""
    return McpSettings


@ag.hookimpl
def register_tools(settings: Mapping[str, BaseModel]) -> list[ag.Tool]:
    """Add the accepted tools of the servers, from the file; no server is asked."""
    own = own_settings(settings)
    sessions = {name: Session(name, server) for name, server in own.servers.items()}
    _SESSIONS.extend(sessions.values())
    return accepted_tools(own, sessions)


@ag.hookimpl
def register_checks(settings: Mapping[str, BaseModel]) -> list[ag.Check]:
    """Add a look at each server."""
    return checks(own_settings(settings))


@ag.hookimpl
def register_commands(app: typer.Typer, settings: Mapping[str, BaseModel]) -> None:
    """Add `mcp list` and `mcp accept`."""
    add_commands(app, own_settings(settings))


@ag.hookimpl
def on_shutdown() -> None:
    """Close the connections and end the commands behind them."""
    closing = [each.close_from_outside() for each in _SESSIONS]
    _SESSIONS.clear()
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        # Called beside the loop, which must not stop before they are closed.
        wait([each for each in closing if each is not None], timeout=_END_SECONDS)
