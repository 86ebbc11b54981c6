"""Back to an earlier revision of a workload: only what differs in its pod template is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import agent_gateway as ag

from .api import Api
from .changes import Change
from .plan_workloads import change_of
from .resources import Resource
from .rollouts import REVISION, Revision, read_revisions

#: Set by controllers, and no part of what somebody wanted.
_HASH = "pod-template-hash"


async def undo(api: Api, resource: Resource, found: Mapping[str, Any], number: int = 0) -> Change:
    """A change back to a revision, the one before the present one when none is named; `NotFound`, `Conflict`."""
    name = f"{resource.one} '{found['metadata']['name']}'"
    if (found.get("spec") or {}).get("paused"):
        raise ag.Conflict(f"{name} is paused", hint="resume its rollout first")
    revisions = await read_revisions(api, resource, found)
    template = _template(_choose(revisions, found, number, name).template)
    patch = merge_difference(_template(found["spec"]["template"]), template)
    if not patch:
        raise ag.Conflict(f"{name} is as that revision was already")
    return change_of(resource, found, {"spec": {"template": patch}})


def _choose(revisions: list[Revision], found: Mapping[str, Any], number: int, name: str) -> Revision:
    known = ", ".join(str(each.number) for each in revisions) or "none"
    if number:
        chosen = [each for each in revisions if each.number == number]
        if not chosen:
            raise ag.NotFound(f"{name} has no revision {number}", hint=f"there are: {known}")
        return chosen[0]
    present = _template(found["spec"]["template"])
    current = int((found["metadata"].get("annotations") or {}).get(REVISION) or 0)
    earlier = [each for each in revisions if each.number != current and _template(each.template) != present]
    if not earlier:
        raise ag.NotFound(f"{name} has no earlier revision", hint=f"there are: {known}")
    return earlier[-1]


def _template(template: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in (template.get("metadata") or {}).items() if value is not None}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != _HASH}
    metadata.pop("creationTimestamp", None)
    rest = {key: value for key, value in template.items() if key not in {"metadata", "$patch"}}
    return {**rest, "metadata": {**metadata, "labels": labels}}


def merge_difference(old: Any, new: Any) -> dict[str, Any]:
    """The merge patch that makes one object of another; lists are replaced whole."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(old.get(key), dict):
            below = merge_difference(old[key], value)
            if below:
                patch[key] = below
        elif key not in old or old[key] != value:
            patch[key] = value
    return patch
