"""Objects that commands write down themselves: autoscalers, services, configmaps, jobs, disruption budgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import agent_gateway as ag

from .changes import Change
from .plan_manifests import plan_manifest
from .pod_search import selector_of
from .resources import SERVICES, Resource
from .scope import Scope


async def autoscale(scope: Scope) -> list[Change]:
    """An autoscaler for each workload."""
    kind = await scope.discovery.find(scope.api, "horizontalpodautoscalers")
    least, most, percent = scope.number("min", 1), scope.number("max"), _percent(scope)
    changes = []
    for resource, found in await scope.objects():
        name = scope.option("name") or str(found["metadata"]["name"])
        spec: dict[str, Any] = {
            "scaleTargetRef": {
                "apiVersion": resource.api_version, "kind": resource.kind, "name": found["metadata"]["name"],
            },
            "minReplicas": max(least, 1),
            "maxReplicas": most,
        }  # fmt: skip
        if kind.version == "v1":
            spec["targetCPUUtilizationPercentage"] = percent
        else:
            target = {"type": "Utilization", "averageUtilization": percent}
            spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
        changes.append(_create(scope, kind, name, {"spec": spec}))
    return changes


def _percent(scope: Scope) -> int:
    """Of the requested CPU: `--cpu-percent=70`, or `--cpu=70%`."""
    share = scope.option("cpu")
    if not share:
        return scope.number("cpu-percent", 80)
    if not share.endswith("%"):
        raise ag.InvalidInput("--cpu is a share of what is requested", hint="--cpu=70%")
    return int(share.removesuffix("%"))


async def expose(scope: Scope) -> list[Change]:
    """A service inside the cluster for what runs pods."""
    changes = []
    for resource, found in await scope.objects():
        labels = selector_of(found) if resource.kind != "Pod" else ""
        selector = _equal(scope.option("selector") or labels) or dict(found["metadata"].get("labels") or {})
        if resource.kind == "Pod" and not selector:
            raise ag.InvalidInput(f"pod '{found['metadata']['name']}' has no labels that a service could select")
        spec = {"type": "ClusterIP", "selector": selector, "ports": _ports(scope, found)}
        name = scope.option("name") or str(found["metadata"]["name"])
        changes.append(_create(scope, SERVICES, name, {"spec": spec}))
    return changes


async def create_configmap(scope: Scope) -> list[Change]:
    """A configmap of literal values."""
    data = {}
    for each in scope.command.values("from-literal"):
        key, separator, value = each.partition("=")
        if not separator:
            raise ag.InvalidInput(f"--from-literal must be KEY=VALUE, not {each[:40]!r}")
        data[key] = value
    kind = await scope.discovery.find(scope.api, "configmaps")
    return [_create(scope, kind, _name(scope), {"data": data})]


async def create_job(scope: Scope) -> list[Change]:
    """A job from a cron job's template, now."""
    source = scope.option("from").rpartition("/")[2]
    if not source:
        raise ag.InvalidInput("a job is only created from a cron job", hint="--from=cronjob/NAME")
    cron = await scope.discovery.find(scope.api, "cronjobs")
    found = await scope.api.read(cron.path(scope.namespace, source))
    template = found["spec"]["jobTemplate"]
    job = {key: value for key, value in template.items() if key in {"spec", "metadata"}}
    jobs = await scope.discovery.find(scope.api, "jobs")
    return [_create(scope, jobs, _name(scope), job)]


async def create_budget(scope: Scope) -> list[Change]:
    """A disruption budget."""
    kind = await scope.discovery.find(scope.api, "poddisruptionbudgets")
    spec: dict[str, Any] = {"selector": {"matchLabels": _equal(scope.option("selector"))}}
    for option, field in (("min-available", "minAvailable"), ("max-unavailable", "maxUnavailable")):
        value = scope.option(option)
        if value:
            spec[field] = int(value) if value.isdecimal() else value
    return [_create(scope, kind, _name(scope), {"spec": spec})]


async def create_quota(scope: Scope) -> list[Change]:
    """A limit on what a namespace may hold."""
    kind = await scope.discovery.find(scope.api, "resourcequotas")
    hard = dict(each.split("=", 1) for each in scope.listed("hard"))
    scopes = list(scope.listed("scopes"))
    spec = {key: value for key, value in (("hard", hard), ("scopes", scopes)) if value}
    return [_create(scope, kind, _name(scope), {"spec": spec})]


async def from_manifests(scope: Scope) -> list[Change]:
    """What manifests say: applied, created, replaced or deleted."""
    command = scope.command
    if not command.objects:
        raise ag.InvalidInput("there is no manifest", hint="give the YAML as 'manifest'")
    namespace, verb = command.namespace, command.verb
    manner: Any = "apply" if verb == "diff" else verb
    if manner == "apply" and command.flag("server-side"):
        manner = "server_side"
    return [
        await plan_manifest(scope.api, scope.discovery, each, namespace, manner) for each in command.objects
    ]  # fmt: skip


def _create(scope: Scope, resource: Resource, name: str, body: Mapping[str, Any]) -> Change:
    namespace = scope.namespace or "default"
    metadata = {**(body.get("metadata") or {}), "name": name, "namespace": namespace}
    whole = {"apiVersion": resource.api_version, "kind": resource.kind, **body, "metadata": metadata}
    return Change(action="create", resource=resource, namespace=namespace, name=name, body=whole)


def _name(scope: Scope) -> str:
    named = [ref.name for ref in scope.command.resources if ref.name] or list(scope.command.words[:1])
    if len(named) != 1:
        raise ag.InvalidInput("what is created needs one name")
    return named[0]


def _equal(selector: str) -> dict[str, str]:
    pairs = [each.partition("=") for each in selector.split(",") if each]
    if any(not separator or " " in key for key, separator, _ in pairs):
        raise ag.InvalidInput("the selector must be made of KEY=VALUE")
    return {key: value.removeprefix("=") for key, _, value in pairs}


def _ports(scope: Scope, found: Mapping[str, Any]) -> list[dict[str, Any]]:
    port = scope.number("port")
    spec = found.get("spec") or {}
    pods = (spec.get("template") or {}).get("spec") or spec
    known = [one["containerPort"] for each in pods.get("containers") or [] for one in each.get("ports") or []]
    port = port or (known[0] if known else 0)
    if not port:
        raise ag.InvalidInput("the service needs a port", hint="--port=80")
    target = scope.option("target-port")
    return [
        {
            "port": port,
            "protocol": scope.option("protocol", "TCP"),
            "targetPort": (int(target) if target.isdecimal() else target) if target else port,
        }
    ]
