"""Objects deleted, and nodes emptied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import agent_gateway as ag

from .api import Api
from .changes import Change
from .grammar.content_places import is_control_namespace
from .listing import Wanted, read_objects
from .plan_metadata import cordon
from .resources import NODES, PODS, Resource

_MIRROR = "kubernetes.io/config.mirror"


def remove(resource: Resource, found: Mapping[str, Any], grace_seconds: int | None = None) -> Change:
    """One object deleted, with what belongs to it."""
    return Change(
        action="delete",
        resource=resource,
        namespace=str(found["metadata"].get("namespace", "")),
        name=str(found["metadata"]["name"]),
        old=found,
        grace_seconds=grace_seconds,
    )


async def drain(
    api: Api, eviction: str, node: Mapping[str, Any], *, ignore_daemonsets: bool = False, delete_emptydir: bool = False
) -> list[Change]:
    """A node closed to new pods, and its pods evicted; `Conflict` when a pod stands in the way.

    `eviction` is the version in which the cluster evicts pods.
    """
    name = node["metadata"]["name"]
    if not eviction:
        raise ag.InvalidInput(f"the cluster '{api.cluster}' cannot evict pods")
    listed = await read_objects(api, Wanted(resource=PODS, field_selector=f"spec.nodeName={name}"))
    changes = [] if (node.get("spec") or {}).get("unschedulable") else [cordon(NODES, node, closed=True)]
    obstacles: list[str] = []
    for pod in listed.objects:
        reason = _obstacle(pod, ignore_daemonsets=ignore_daemonsets, delete_emptydir=delete_emptydir)
        label = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        if reason:
            obstacles.append(f"{label} {reason}")
        elif not _stays(pod):
            changes.append(_evict(pod, eviction))
    if obstacles:
        more = f" and {len(obstacles) - 5} more" if len(obstacles) > 5 else ""
        raise ag.Conflict(f"node '{name}' cannot be drained: {'; '.join(obstacles[:5])}{more}")
    return changes


def _evict(pod: Mapping[str, Any], version: str) -> Change:
    metadata = pod["metadata"]
    return Change(
        action="evict",
        resource=PODS,
        namespace=metadata["namespace"],
        name=metadata["name"],
        old=pod,
        eviction=version,
    )


def _stays(pod: Mapping[str, Any]) -> bool:
    """Ended pods, those of the node itself, and those of a daemon set are left where they are."""
    metadata = pod["metadata"]
    ended = (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}
    return ended or _MIRROR in (metadata.get("annotations") or {}) or _owner(pod) == "DaemonSet"


def _obstacle(pod: Mapping[str, Any], *, ignore_daemonsets: bool, delete_emptydir: bool) -> str:
    """Why a pod may not be evicted, empty when it may or need not be."""
    if _owner(pod) == "DaemonSet":
        return "" if ignore_daemonsets else "belongs to a daemonset (--ignore-daemonsets leaves it)"
    if _stays(pod):
        return ""
    if is_control_namespace(pod["metadata"]["namespace"]):
        return "is in a control namespace, where nothing is changed"
    if not _owner(pod):
        return "has no controller that would start it elsewhere"
    volumes = (pod.get("spec") or {}).get("volumes") or []
    if not delete_emptydir and any("emptyDir" in volume for volume in volumes):
        return "keeps data in an emptyDir, which would be lost"
    return ""


def _owner(pod: Mapping[str, Any]) -> str:
    owners = pod["metadata"].get("ownerReferences") or []
    return next((str(each["kind"]) for each in owners if each.get("controller")), "")
