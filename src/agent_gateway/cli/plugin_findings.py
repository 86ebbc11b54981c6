"""What `doctor` has the plugins look at: clusters, repositories, servers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from agent_gateway.cli.findings import Finding
from agent_gateway.clusters import open_clusters
from agent_gateway.config import Configuration
from agent_gateway.hookspecs import Check, CheckResult
from agent_gateway.interfaces import Clusters
from agent_gateway.policy.border import cross
from agent_gateway.registry import Registry


def check_with_plugins(configuration: Configuration, registry: Registry) -> Sequence[Finding]:
    """Run the checks of all plugins, side by side, each within its time."""
    return asyncio.run(_run(configuration, registry.checks)) if registry.checks else ()


async def _run(configuration: Configuration, checks: Sequence[Check]) -> Sequence[Finding]:
    clusters = open_clusters(configuration.settings.clusters)
    try:
        return await asyncio.gather(*(judge(check, clusters) for check in checks))
    finally:
        await clusters.close()


async def judge(check: Check, clusters: Clusters) -> Finding:
    """Run one check; whatever goes wrong in it is its finding."""

    async def run() -> CheckResult:
        return await check.run(clusters)

    found = await cross(run, check.timeout_seconds, check.name)
    if not isinstance(found, CheckResult):
        return Finding(name=check.name, state="absent", found=str(found), cost="its tools fail until it is there")
    if found.ok:
        return Finding(name=check.name, state="ok", found=found.detail)
    return Finding(name=check.name, state="absent", found=found.detail, cost=found.hint)
