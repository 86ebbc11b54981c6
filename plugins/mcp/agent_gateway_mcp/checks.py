"""Checks for `agent-gateway doctor`: whether each server answers, and its tools are what was accepted."""

from __future__ import annotations

from functools import partial

import agent_gateway as ag

from .accepted import ACCEPT, LIST
from .settings import McpSettings

#: Loading what speaks MCP, and ending a command, take a while.
_MARGIN = 10.0


def checks(settings: McpSettings) -> list[ag.Check]:
    """One check per server, or one that says there is none."""
    return [
        ag.Check(name=f"mcp {name}", run=partial(_look, settings, name), timeout_seconds=each.timeout_seconds + _MARGIN)
        for name, each in settings.servers.items()
    ] or [ag.Check(name="mcp", run=_tell_none)]


async def _tell_none(clusters: ag.Clusters) -> ag.CheckResult:
    return ag.CheckResult(ok=True, detail="no MCP server is configured", hint="set plugins.mcp.servers to use one")


async def _look(settings: McpSettings, name: str, clusters: ag.Clusters) -> ag.CheckResult:
    from .review import compare_server  # noqa: PLC0415 - plugins are also loaded to be listed

    try:
        compared = await compare_server(settings, name)
    except ag.GatewayError as error:
        return ag.CheckResult(ok=False, detail=error.detail, hint=error.hint)
    by_state = {state: [each for each in compared if each.state == state] for state in ("accepted", "changed", "gone")}
    told = f"{len(by_state['accepted'])} of {len(compared)} tools are accepted and unchanged"
    disabled = [*by_state["changed"], *by_state["gone"]]
    if disabled:
        names = ", ".join(f"{each.name} ({each.state})" for each in disabled)
        hint = f"see `{LIST}`, then `{ACCEPT} {name}`"
        return ag.CheckResult(ok=False, detail=f"{told}; disabled: {names}", hint=hint)
    hint = "" if by_state["accepted"] else f"accept some with `{ACCEPT} {name}`"
    return ag.CheckResult(ok=True, detail=told, hint=hint)
