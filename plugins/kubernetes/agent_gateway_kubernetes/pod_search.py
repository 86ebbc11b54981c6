"""The pods that somebody means: by the name of a pod, of what runs them, of a service, or by their app label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import agent_gateway as ag

from .api import Api
from .listing import Wanted, read_objects
from .resources import (
    DAEMONSETS,
    DEPLOYMENTS,
    JOBS,
    PODS,
    REPLICASETS,
    SERVICES,
    STATEFULSETS,
    Resource,
)

#: What runs pods, in the order in which people mean them.
WORKLOADS = (DEPLOYMENTS, STATEFULSETS, DAEMONSETS, JOBS, REPLICASETS)
_LABELS = ("app", "app.kubernetes.io/name", "k8s-app", "app.kubernetes.io/instance")


async def pods_of(api: Api, resource: Resource, namespace: str, name: str) -> list[dict[str, Any]]:
    """The pods of one named object; `NotFound` when it is not there, or runs none."""
    found = await api.read(resource.path(namespace, name))
    if resource.plural == PODS.plural:
        return [found]
    pods = await _selected(api, namespace, selector_of(found))
    if not pods:
        raise ag.NotFound(f"{resource.one} '{name}' in the namespace '{namespace}' has no pods")
    return pods


async def search_pods(api: Api, name: str, namespace: str = "") -> list[dict[str, Any]]:
    """The pods that a bare name means, in one namespace or in all; `NotFound`, or `InvalidInput` for too many."""
    pods = await _named(api, PODS, name, namespace)
    if pods:
        return _in_one_namespace(pods, name)
    for resource in (*WORKLOADS, SERVICES):
        owners = _in_one_namespace(await _named(api, resource, name, namespace), name)
        for owner in owners:
            pods = await _selected(api, owner["metadata"]["namespace"], selector_of(owner))
            if pods:
                return pods
    for label in _LABELS:
        pods = await _selected(api, namespace, f"{label}={name}")
        if pods:
            return _in_one_namespace(pods, name)
    where = f"in the namespace '{namespace}'" if namespace else "in any namespace"
    raise ag.NotFound(
        f"there is no pod, workload, service or app label '{name}' {where} of '{api.cluster}'",
        hint="`kubectl get pods -A` lists all pods",
    )


def selector_of(found: Mapping[str, Any]) -> str:
    """The labels that pods of a workload or a service have; empty when it selects none."""
    selector = (found.get("spec") or {}).get("selector") or {}
    if "matchLabels" not in selector and "matchExpressions" not in selector:
        return ",".join(f"{key}={value}" for key, value in selector.items())
    terms = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    return ",".join([*terms, *(map(_expression, selector.get("matchExpressions") or []))])


def _expression(each: Mapping[str, Any]) -> str:
    key, values = each["key"], ",".join(each.get("values") or [])
    match each["operator"]:
        case "In":
            return f"{key} in ({values})"
        case "NotIn":
            return f"{key} notin ({values})"
        case "Exists":
            return str(key)
    return f"!{key}"


async def _named(api: Api, resource: Resource, name: str, namespace: str) -> list[dict[str, Any]]:
    wanted = Wanted(resource=resource, namespace=namespace, field_selector=f"metadata.name={name}")
    return (await read_objects(api, wanted)).objects


async def _selected(api: Api, namespace: str, selector: str) -> list[dict[str, Any]]:
    if not selector:
        return []
    return (await read_objects(api, Wanted(resource=PODS, namespace=namespace, selector=selector))).objects


def _in_one_namespace(found: Sequence[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    namespaces = sorted({each["metadata"]["namespace"] for each in found})
    if len(namespaces) > 1:
        raise ag.InvalidInput(f"'{name}' is in several namespaces", hint=f"name one of: {', '.join(namespaces)}")
    return list(found)
