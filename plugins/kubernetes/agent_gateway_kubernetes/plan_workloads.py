"""Changes to what runs: how many, started anew, paused, with another image, environment, or room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import agent_gateway as ag

from .api import STRATEGIC
from .changes import Change
from .resources import Resource

RESTARTED = "kubectl.kubernetes.io/restartedAt"
#: Kinds whose pods come from a template that may be changed.
_TEMPLATED = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
_SCALED = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"})


def change_of(resource: Resource, found: Mapping[str, Any], body: Any, **fields: Any) -> Change:
    """A patch of an object."""
    metadata = found["metadata"]
    return Change(
        action="patch",
        resource=resource,
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata["name"]),
        old=found,
        body=body,
        **fields,
    )


def scale(resource: Resource, found: Mapping[str, Any], replicas: int, current: int | None = None) -> Change:
    """Another number of replicas; with `current`, only when there are that many now."""
    if resource.kind not in _SCALED and "replicas" not in (found.get("spec") or {}):
        raise ag.InvalidInput(f"'{resource.one}' cannot be scaled", hint="deployments and statefulsets can")
    now = (found.get("spec") or {}).get("replicas", 1)
    if current is not None and now != current:
        raise ag.Conflict(f"{resource.one} '{found['metadata']['name']}' has {now} replicas, not {current}")
    return change_of(resource, found, {"spec": {"replicas": replicas}})


def restart(resource: Resource, found: Mapping[str, Any]) -> Change:
    """All pods anew, as the kind's strategy has it."""
    _check_template(resource, "restarted")
    if (found.get("spec") or {}).get("paused"):
        raise ag.Conflict(f"{resource.one} '{found['metadata']['name']}' is paused", hint="resume its rollout first")
    moment = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    # The moment is another one when the restart is made than when it was shown.
    return change_of(resource, found, _restarted(moment), bound=_restarted("now"))


def _restarted(moment: str) -> dict[str, Any]:
    return {"spec": {"template": {"metadata": {"annotations": {RESTARTED: moment}}}}}


def pause(resource: Resource, found: Mapping[str, Any], *, paused: bool) -> Change:
    """A deployment's rollout held, or let go on."""
    if resource.kind != "Deployment":
        raise ag.InvalidInput(f"'{resource.one}' cannot be paused or resumed", hint="deployments can")
    return change_of(resource, found, {"spec": {"paused": paused}})


def set_images(resource: Resource, found: Mapping[str, Any], images: Mapping[str, str]) -> Change:
    """Other images; the container `*` means every one."""
    containers = _containers(resource, found)
    chosen = dict.fromkeys(containers, images["*"]) if "*" in images else {}
    chosen |= {name: image for name, image in images.items() if name != "*"}
    _check_names(resource, found, containers, chosen)
    return _patch_containers(resource, found, [{"name": name, "image": image} for name, image in chosen.items()])


def set_environment(
    resource: Resource, found: Mapping[str, Any], container: str, values: Mapping[str, str], removed: Sequence[str] = ()
) -> Change:
    """Environment variables, in one container or in all."""
    containers = _containers(resource, found)
    names = [container] if container not in {"", "*"} else containers
    _check_names(resource, found, containers, names)
    # A strategic merge adds a value beside the reference a variable had, unless that is taken away.
    given: list[dict[str, Any]] = [{"name": key, "value": value, "valueFrom": None} for key, value in values.items()]
    given += [{"name": key, "$patch": "delete"} for key in removed]
    return _patch_containers(resource, found, [{"name": name, "env": given} for name in names])


def set_resources(
    resource: Resource, found: Mapping[str, Any], container: str, room: Mapping[str, Mapping[str, str]]
) -> Change:
    """Requests and limits, in one container or in all."""
    containers = _containers(resource, found)
    names = [container] if container not in {"", "*"} else containers
    _check_names(resource, found, containers, names)
    return _patch_containers(resource, found, [{"name": name, "resources": dict(room)} for name in names])


def _patch_containers(resource: Resource, found: Mapping[str, Any], containers: list[dict[str, Any]]) -> Change:
    pods: dict[str, Any] = {"spec": {"containers": containers}}
    body = pods if resource.kind == "Pod" else {"spec": {"template": pods}}
    if resource.kind == "CronJob":
        body = {"spec": {"jobTemplate": body}}
    return change_of(resource, found, body, content_type=STRATEGIC)


def _containers(resource: Resource, found: Mapping[str, Any]) -> list[str]:
    spec = found.get("spec") or {}
    if resource.kind == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    pods = spec if resource.kind == "Pod" else ((spec.get("template") or {}).get("spec") or {})
    names = [str(each["name"]) for each in pods.get("containers") or []]
    if not names:
        raise ag.InvalidInput(f"'{resource.one}' has no containers that could be changed")
    return names


def _check_names(resource: Resource, found: Mapping[str, Any], known: Sequence[str], named: Any) -> None:
    unknown = [name for name in named if name not in known]
    if unknown:
        name = found["metadata"]["name"]
        hint = f"it has: {', '.join(known)}"
        raise ag.NotFound(f"{resource.one} '{name}' has no container '{unknown[0][:80]}'", hint=hint)


def _check_template(resource: Resource, what: str) -> None:
    if resource.kind not in _TEMPLATED:
        hint = "deployments, statefulsets and daemonsets can"
        raise ag.InvalidInput(f"'{resource.one}' cannot be {what}", hint=hint)
