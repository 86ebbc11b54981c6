"""A check for `agent-gateway doctor`: whether each cluster answers, and which version it is."""

from __future__ import annotations

import asyncio
import time

import agent_gateway as ag

from .api import Api

_SECONDS = 4.0


def checks() -> list[ag.Check]:
    """One check, of all clusters at once."""
    return [ag.Check(name="kubernetes", run=_look, timeout_seconds=_SECONDS + 2)]


async def _look(clusters: ag.Clusters) -> ag.CheckResult:
    if not clusters.names:
        hint = "set clusters.kubeconfig to look at one"
        return ag.CheckResult(ok=True, detail="no cluster is configured", hint=hint)
    found = await asyncio.gather(*(_ask(clusters.get(name)) for name in clusters.names))
    failed = [each for each in found if not each.ok]
    hint = next((each.hint for each in failed if each.hint), "")
    return ag.CheckResult(ok=not failed, detail="; ".join(each.detail for each in found), hint=hint)


async def _ask(cluster: ag.Cluster) -> ag.CheckResult:
    begun = time.perf_counter()
    try:
        found = await Api(cluster, _SECONDS).read("/version")
    except ag.GatewayError as error:
        return ag.CheckResult(ok=False, detail=f"{cluster.name}: {error.detail}", hint=error.hint)
    ms = round((time.perf_counter() - begun) * 1000)
    return ag.CheckResult(ok=True, detail=f"{cluster.name}: {found.get('gitVersion', 'unknown version')} ({ms} ms)")
