"""Kubernetes clusters: kubeconfig contexts and the pod's own cluster, reached through kubernetes_asyncio."""

from __future__ import annotations

from agent_gateway.clusters.opening import OpenClusters, open_clusters

__all__ = ["OpenClusters", "open_clusters"]
