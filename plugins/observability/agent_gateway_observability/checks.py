"""Checks for `agent-gateway doctor`: whether each server answers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import agent_gateway as ag

from . import jaeger, loki, prometheus, tempo
from .remote import RemoteTools
from .servers import Place
from .settings import ObservabilitySettings
from .tools import query_tools

_KINDS = ("prometheus", "loki", "tempo", "jaeger")
#: Loading what speaks MCP takes a while.
_MCP_SECONDS = 10.0


def checks(settings: ObservabilitySettings) -> list[ag.Check]:
    """One check per server, or one that says there is none."""
    found = [
        ag.Check(
            name=f"{place.kind} {place.cluster}",
            run=partial(_look, settings, place),
            timeout_seconds=settings.limits.timeout_seconds + 2,
        )
        for place in _places(settings)
    ]
    if settings.mcp is not None:
        look = partial(_look_there, settings, RemoteTools(settings, settings.mcp))
        found.append(ag.Check(name="observability mcp", run=look, timeout_seconds=_MCP_SECONDS))
    return found or [ag.Check(name="observability", run=_tell_none)]


def _places(settings: ObservabilitySettings) -> Iterator[Place]:
    for kind in _KINDS:
        for cluster, server in settings.of(kind).items():
            yield Place(kind, cluster, server)


async def _tell_none(clusters: ag.Clusters) -> ag.CheckResult:
    hint = "set plugins.observability.prometheus to the address of one"
    return ag.CheckResult(ok=True, detail="no server of metrics, logs or traces is configured", hint=hint)


async def _look(settings: ObservabilitySettings, place: Place, clusters: ag.Clusters) -> ag.CheckResult:
    try:
        told = await _ask(settings, place)
    except ag.GatewayError as error:
        return ag.CheckResult(ok=False, detail=error.detail, hint=error.hint)
    return ag.CheckResult(ok=True, detail=f"{place.told} {told}")


async def _look_there(settings: ObservabilitySettings, remote: RemoteTools, clusters: ag.Clusters) -> ag.CheckResult:
    try:
        told = await remote.look(query_tools(settings))
    except ag.GatewayError as error:
        return ag.CheckResult(ok=False, detail=error.detail, hint=error.hint)
    return ag.CheckResult(ok=True, detail=f"the MCP server {told}")


async def _ask(settings: ObservabilitySettings, place: Place) -> str:
    if place.kind == "prometheus":
        return await prometheus.look(place, settings)
    if place.kind == "loki":
        return await loki.look(place, settings)
    look = tempo.look if place.kind == "tempo" else jaeger.look
    return await look(place, settings.limits)
