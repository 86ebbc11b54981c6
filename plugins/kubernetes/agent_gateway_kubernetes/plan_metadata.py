"""Changes to labels, annotations, taints, and to whether a node takes pods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import agent_gateway as ag

from .changes import Change
from .plan_workloads import change_of
from .resources import Resource


class Taint(NamedTuple):
    """A taint to set or to remove; for removing, an empty effect means any."""

    key: str
    value: str = ""
    effect: str = ""


def set_metadata(
    resource: Resource,
    found: Mapping[str, Any],
    part: Literal["labels", "annotations"],
    values: Mapping[str, str | None],
    *,
    overwrite: bool = False,
) -> Change:
    """Labels or annotations; None removes one. One that has another value is only changed with `overwrite`."""
    present = found["metadata"].get(part) or {}
    for key, value in values.items():
        if value is not None and key in present and present[key] != value and not overwrite:
            name = found["metadata"]["name"]
            raise ag.Conflict(
                f"{resource.one} '{name}' has {key}={present[key]} already", hint="--overwrite changes it"
            )
    return change_of(resource, found, {"metadata": {part: dict(values)}})


def cordon(resource: Resource, found: Mapping[str, Any], *, closed: bool) -> Change:
    """Whether new pods go to a node."""
    return change_of(resource, found, {"spec": {"unschedulable": True if closed else None}})


def taint(
    resource: Resource, found: Mapping[str, Any], given: Sequence[Taint], removed: Sequence[Taint], *, overwrite: bool
) -> Change:
    """Other taints of a node."""
    present = list((found.get("spec") or {}).get("taints") or [])
    for each in removed:
        left = [one for one in present if not _matches(one, each)]
        if len(left) == len(present):
            raise ag.NotFound(f"node '{found['metadata']['name']}' has no taint '{each.key}'")
        present = left
    for each in given:
        same = [one for one in present if _matches(one, each)]
        if same and same[0].get("value", "") != each.value and not overwrite:
            hint = "--overwrite changes it"
            raise ag.Conflict(f"node '{found['metadata']['name']}' has the taint '{each.key}' already", hint=hint)
        present = [one for one in present if not _matches(one, each)]
        present.append({"key": each.key, "effect": each.effect, **({"value": each.value} if each.value else {})})
    return change_of(resource, found, {"spec": {"taints": present or None}})


def _matches(present: Mapping[str, Any], wanted: Taint) -> bool:
    return present.get("key") == wanted.key and wanted.effect in {"", present.get("effect")}
