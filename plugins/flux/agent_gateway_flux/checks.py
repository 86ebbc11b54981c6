"""Check for `agent-gateway doctor`: which clusters have Flux, and in which versions."""

from __future__ import annotations

import agent_gateway as ag

from .api import FluxApi
from .kinds import HELM_RELEASE, KUSTOMIZATION, SOURCES

_GROUPS = (KUSTOMIZATION.group, HELM_RELEASE.group, SOURCES[0].group)


async def look(clusters: ag.Clusters) -> ag.CheckResult:
    """Ask each cluster for Flux's API groups."""
    if not clusters.names:
        return ag.CheckResult(ok=True, detail="no cluster is configured, so there is no Flux to look for")
    told: list[str] = []
    missing: list[str] = []
    for name in clusters.names:
        try:
            api = FluxApi(clusters.get(name))
            found = {group: await api.versions(group) for group in _GROUPS}
        except ag.GatewayError as error:
            missing.append(name)
            told.append(f"{name}: {error.detail}")
            continue
        served = [f"{group.partition('.')[0]} {versions[0]}" for group, versions in found.items() if versions]
        if not served:
            missing.append(name)
        told.append(f"{name}: {', '.join(served) or 'no Flux'}")
    hint = f"install Flux in {', '.join(missing)}, or do without flux_get and flux_reconcile there" if missing else ""
    return ag.CheckResult(ok=len(missing) < len(clusters.names), detail="; ".join(told), hint=hint)
