"""Observability: personas query Prometheus and Loki, and read traces of Tempo or Jaeger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel

import agent_gateway as ag

from .checks import checks
from .commands import add_commands
from .remote import RemoteTools
from .settings import ObservabilitySettings, own_settings
from .tools import query_tools

if TYPE_CHECKING:
    import typer


@ag.hookimpl
def register_settings() -> type[BaseModel]:
    """Have `plugins.observability` validated."""
    return ObservabilitySettings


@ag.hookimpl
def register_tools(settings: Mapping[str, BaseModel]) -> list[ag.Tool]:
    """Add `query_prometheus`, `query_loki` and `get_traces`."""
    own = own_settings(settings)
    tools = query_tools(own)
    return tools if own.mcp is None else RemoteTools(own, own.mcp).tools(tools)


@ag.hookimpl
def register_checks(settings: Mapping[str, BaseModel]) -> list[ag.Check]:
    """Add a look at each server."""
    return checks(own_settings(settings))


@ag.hookimpl
def register_commands(app: typer.Typer, settings: Mapping[str, BaseModel]) -> None:
    """Add `mcp-observability`, which serves the tools over MCP."""
    add_commands(app, own_settings(settings))
