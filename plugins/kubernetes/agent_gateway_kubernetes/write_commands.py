"""Every command that changes something, how it is planned, and what its summary calls it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, TypeAlias

import agent_gateway as ag

from . import plan_creations, planning
from .changes import Change
from .scope import Scope

Planner: TypeAlias = Callable[[Scope], Awaitable[list[Change]]]


class Writing(NamedTuple):
    """How a command becomes changes, and what it does in words."""

    plan: Planner
    does: str


WRITES: Mapping[str, Writing] = {
    "scale": Writing(planning.scale, "Scale"),
    "rollout restart": Writing(planning.restart, "Restart"),
    "rollout pause": Writing(planning.pause, "Pause the rollout"),
    "rollout resume": Writing(planning.pause, "Resume the rollout"),
    "rollout undo": Writing(planning.undo, "Roll back"),
    "set image": Writing(planning.set_image, "Change images"),
    "set env": Writing(planning.set_environment, "Change the environment"),
    "set resources": Writing(planning.set_resources, "Change requests and limits"),
    "label": Writing(planning.set_metadata, "Change labels"),
    "annotate": Writing(planning.set_metadata, "Change annotations"),
    "patch": Writing(planning.patch, "Patch"),
    "delete": Writing(planning.remove, "Delete"),
    "cordon": Writing(planning.cordon, "Close to new pods"),
    "uncordon": Writing(planning.cordon, "Open to new pods"),
    "taint": Writing(planning.taint, "Change taints"),
    "drain": Writing(planning.drain, "Drain: close to new pods and evict"),
    "autoscale": Writing(plan_creations.autoscale, "Autoscale"),
    "expose": Writing(plan_creations.expose, "Create a service inside the cluster"),
    "apply": Writing(plan_creations.from_manifests, "Apply"),
    "create": Writing(plan_creations.from_manifests, "Create"),
    "replace": Writing(plan_creations.from_manifests, "Replace"),
    "diff": Writing(plan_creations.from_manifests, "Compare with"),
    "create configmap": Writing(plan_creations.create_configmap, "Create"),
    "create job": Writing(plan_creations.create_job, "Run the job now"),
    "create pdb": Writing(plan_creations.create_budget, "Create"),
    "create quota": Writing(plan_creations.create_quota, "Create"),
}


def writing_of(verb: str) -> Writing:
    """How a verb writes; `InvalidInput` for one that cannot be carried out."""
    found = WRITES.get(verb)
    if found is None:
        raise ag.InvalidInput(f"`kubectl {verb}` cannot be carried out here", hint="apply a manifest instead")
    return found


def summary_of(scope: Scope, does: str) -> str:
    """What a command does, with its most telling value."""
    replicas = scope.option("replicas")
    if scope.command.verb == "scale":
        return f"{does} to {replicas} replicas"
    words = " ".join(scope.command.words)
    if scope.command.verb in {"set image", "label", "annotate", "taint"}:
        return f"{does} ({words[:200]})"
    revision = scope.option("to-revision")
    return f"{does} to revision {revision}" if revision else does
