"""The clusters of this gateway, by name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from agent_gateway.clusters.credentials import SERVICE_ACCOUNT, Credentials, KubeconfigAccess, PodAccess, runs_in_pod
from agent_gateway.clusters.kubeconfig import read_kubeconfig
from agent_gateway.clusters.kubernetes_asyncio_cluster import KubernetesAsyncioCluster
from agent_gateway.config.clusters import ClustersSettings
from agent_gateway.errors import ConfigurationError, Fault, NotFound

#: What the cluster is called in whose pod the gateway runs.
IN_CLUSTER = "in-cluster"
HOW_TO_ADD = "set clusters.kubeconfig to a kubeconfig file; each of its contexts is a cluster"


class OpenClusters:
    """Implements `Clusters`. Each connects when it is first used."""

    def __init__(self, clusters: Mapping[str, KubernetesAsyncioCluster], default: str = "") -> None:
        self._clusters = clusters
        first = [default] if default else []
        self._names = tuple(dict.fromkeys([*first, *clusters]))

    @property
    def names(self) -> Sequence[str]:
        """All of them, the default first; empty when none is configured."""
        return self._names

    def get(self, name: str = "") -> KubernetesAsyncioCluster:
        """The cluster, the default one for an empty name; `NotFound` names those there are."""
        if not self._names:
            raise NotFound("no Kubernetes cluster is configured", code="cluster_not_found", hint=HOW_TO_ADD)
        found = self._clusters.get(name or self._names[0])
        if found is None:
            hint = f"there are: {', '.join(self._names)}"
            raise NotFound(f"there is no cluster '{name[:80]}'", code="cluster_not_found", hint=hint)
        return found

    async def close(self) -> None:
        """Close all connections."""
        for cluster in self._clusters.values():
            await cluster.close()


def open_clusters(
    settings: ClustersSettings, environ: Mapping[str, str] | None = None, account: Path = SERVICE_ACCOUNT
) -> OpenClusters:
    """The clusters that the settings name; nothing is connected yet. `ConfigurationError` tells what is wrong.

    `environ` and `account` say whether this is a pod: its environment, and the folder of its service account.
    """
    environ = os.environ if environ is None else environ
    kubeconfig = read_kubeconfig(settings)
    clusters: dict[str, KubernetesAsyncioCluster] = {}
    if kubeconfig is not None:
        for name in kubeconfig.contexts:
            access = KubeconfigAccess(name, kubeconfig, allow_exec=settings.allow_exec)
            clusters[name] = KubernetesAsyncioCluster(name, Credentials(name, access))
    pod = runs_in_pod(environ, account)
    if settings.in_cluster is True and not pod:
        raise _fault("in_cluster", "this is not a pod with a service account", "use auto, or mount one")
    if pod and settings.in_cluster is not False and IN_CLUSTER not in clusters:
        credentials = Credentials(IN_CLUSTER, PodAccess(IN_CLUSTER, environ, account))
        clusters[IN_CLUSTER] = KubernetesAsyncioCluster(IN_CLUSTER, credentials)
    if settings.default and settings.default not in clusters:
        raise _fault("default", f"there is no cluster '{settings.default}'", f"there are: {', '.join(clusters)}")
    return OpenClusters(clusters, settings.default)


def _fault(key: str, detail: str, hint: str) -> ConfigurationError:
    return ConfigurationError((Fault(file="settings", key=f"clusters.{key}", detail=detail, hint=hint),))
