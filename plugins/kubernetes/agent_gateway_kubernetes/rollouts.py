"""How far a rollout is, and which revisions there were."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

import agent_gateway as ag

from .api import Api
from .listing import Wanted, read_objects
from .pod_search import selector_of
from .resources import DAEMONSETS, DEPLOYMENTS, REPLICASETS, REVISIONS, STATEFULSETS, Resource
from .tables import align
from .yaml_text import show_yaml

REVISION = "deployment.kubernetes.io/revision"
CAUSE = "kubernetes.io/change-cause"
KINDS = {each.full_name for each in (DEPLOYMENTS, STATEFULSETS, DAEMONSETS)}


class Revision(NamedTuple):
    """An earlier state of a workload's pods: its number, why, and the template."""

    number: int
    cause: str
    template: dict[str, Any]


class Progress(NamedTuple):
    """Whether a rollout has ended, whether it has failed, and how it stands in words."""

    done: bool
    failed: bool
    text: str


def check_kind(resource: Resource) -> None:
    """Raise `InvalidInput` for a kind that has no rollouts."""
    if resource.full_name not in KINDS:
        raise ag.InvalidInput(
            f"'{resource.one}' has no rollouts", hint="deployments, statefulsets and daemonsets have them"
        )


def progress_of(workload: Mapping[str, Any]) -> Progress:
    """How far a workload's rollout is, as kubectl counts it."""
    name = f"{workload.get('kind', '').lower()} '{workload['metadata']['name']}'"
    spec, status = workload.get("spec") or {}, workload.get("status") or {}
    if spec.get("paused"):
        return Progress(done=False, failed=False, text=f"{name}: the rollout is paused")
    if int(workload["metadata"].get("generation") or 0) > int(status.get("observedGeneration") or 0):
        return Progress(done=False, failed=False, text=f"{name}: its controller has not seen the change yet")
    for condition in status.get("conditions") or []:
        if condition.get("type") == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return Progress(done=False, failed=True, text=f"{name}: {condition.get('message', 'the deadline is over')}")
    counts = _daemon_counts(status) if workload.get("kind") == "DaemonSet" else _counts(spec, status)
    wanted, updated, ready, old = counts
    if updated < wanted:
        return Progress(done=False, failed=False, text=f"{name}: {updated} of {wanted} pods are updated")
    if old:
        return Progress(done=False, failed=False, text=f"{name}: {old} old pods are left")
    if ready < wanted:
        return Progress(done=False, failed=False, text=f"{name}: {ready} of {wanted} updated pods are available")
    return Progress(done=True, failed=False, text=f"{name} is rolled out: {ready} of {wanted} pods are available")


def _counts(spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[int, int, int, int]:
    wanted = int(spec.get("replicas", 1))
    updated = int(status.get("updatedReplicas") or 0)
    available = status.get("availableReplicas") if "availableReplicas" in status else status.get("readyReplicas")
    return wanted, updated, int(available or 0), max(int(status.get("replicas") or 0) - updated, 0)


def _daemon_counts(status: Mapping[str, Any]) -> tuple[int, int, int, int]:
    wanted = int(status.get("desiredNumberScheduled") or 0)
    return wanted, int(status.get("updatedNumberScheduled") or 0), int(status.get("numberAvailable") or 0), 0


async def read_revisions(api: Api, resource: Resource, workload: Mapping[str, Any]) -> list[Revision]:
    """A workload's revisions, oldest first."""
    check_kind(resource)
    metadata = workload["metadata"]
    kind = REPLICASETS if resource.plural == DEPLOYMENTS.plural else REVISIONS
    wanted = Wanted(resource=kind, namespace=metadata["namespace"], selector=selector_of(workload))
    owned = [each for each in (await read_objects(api, wanted)).objects if _belongs(each, metadata["uid"])]
    return sorted((_revision(each) for each in owned), key=lambda each: each.number)


def _belongs(found: Mapping[str, Any], uid: str) -> bool:
    return any(owner.get("uid") == uid for owner in found["metadata"].get("ownerReferences") or [])


def _revision(found: Mapping[str, Any]) -> Revision:
    annotations = found["metadata"].get("annotations") or {}
    if "revision" in found:
        number = int(found["revision"])
        template = ((found.get("data") or {}).get("spec") or {}).get("template") or {}
    else:
        number = int(annotations.get(REVISION) or 0)
        template = (found.get("spec") or {}).get("template") or {}
    return Revision(number, str(annotations.get(CAUSE) or "<none>"), template)


async def show_history(api: Api, resource: Resource, workload: Mapping[str, Any], number: int = 0) -> str:
    """A workload's revisions as a table, or the pod template of one."""
    revisions = await read_revisions(api, resource, workload)
    name = f"{resource.one} '{workload['metadata']['name']}'"
    if number:
        found = next((each for each in revisions if each.number == number), None)
        if found is None:
            known = ", ".join(str(each.number) for each in revisions) or "none"
            raise ag.NotFound(f"{name} has no revision {number}", hint=f"there are: {known}")
        return f"{name}, revision {number}\n{await asyncio.to_thread(show_yaml, found.template)}"
    if not revisions:
        return f"{name} has no revisions yet."
    return align([["REVISION", "CHANGE-CAUSE"], *([str(each.number), each.cause] for each in revisions)])
