"""Judges what a manifest or a patch would write: what a human may approve, and what is never written.

Every kind that may be written has a closed list of fields. What has no rule there is refused, wherever it stands, so
that a field nobody thought of is not let through.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import agent_gateway as ag

from .command import Refused, ResourceRef
from .content_containers import resized
from .content_flux import GROUP_END, flux_metadata, nothing, release, suspension
from .content_labels import object_metadata, patched_metadata
from .content_places import check_kind, check_name, check_place, kind_in
from .content_pointers import written
from .content_resources import CONFIG_MAP, RESOURCES
from .content_rules import Manner, Rule, fields, only, scalar
from .content_workloads import WORKLOADS
from .kinds import KINDS, Kind, kind_of

_MANIFESTS = {"create": Manner(fresh=True), "apply": Manner(), "replace": Manner(), "diff": Manner()}
_PATCHES = {
    "strategic": Manner(patch=True, strategic=True),
    "merge": Manner(patch=True, replaces_lists=True),
    "json": Manner(patch=True, pointed=True),
}
_SPECS = {**WORKLOADS, **RESOURCES}
#: Kinds of extensions know no directives.
_WITHOUT_DIRECTIVES = ("monitoring.coreos.com",)
_no_status = only(None, why="The status of an object is its controller's.")


def _status(value: Any, manner: Manner) -> None:
    if value != {}:
        _no_status(value, manner)


def _parts(kind: Kind) -> dict[str, Rule]:
    if (kind.group, kind.plural) == ("", "configmaps"):
        return CONFIG_MAP
    spec = _SPECS.get((kind.group, kind.plural))
    return {"spec": spec} if spec else {}


def _flux(kind: Kind) -> Rule:
    spec = release if kind.plural == "helmreleases" else suspension if "u" in kind.uses else nothing
    return fields({"metadata": flux_metadata, "spec": spec})


def _patched(kind: Kind) -> Rule:
    if kind.group.endswith(GROUP_END):
        return _flux(kind)
    same = only(kind.kind, why="A patch does not change the kind of an object.")
    versions = (f"{kind.group}/{version}".lstrip("/") for version in kind.versions)
    same_version = only(*versions, why="A patch does not change the version of an object.")
    return fields({"metadata": patched_metadata, "kind": same, "apiVersion": same_version, **_parts(kind)})


_WRITTEN: dict[Kind, Rule] = {
    kind: fields({"apiVersion": scalar, "kind": scalar, "metadata": object_metadata, "status": _status, **_parts(kind)})
    for kind in KINDS
    if "m" in kind.uses
}
_CHANGED: dict[Kind, Rule] = {kind: _patched(kind) for kind in KINDS if not kind.uses.isdisjoint("pfu")}
_SCALED = fields({"metadata": fields({"resourceVersion": scalar}), "spec": fields({"replicas": scalar})})
_RESIZED = fields({"spec": fields({"containers": resized})})


def judge_objects(objects: Sequence[dict[str, Any]], namespace: str, verb: str) -> ag.Verdict:
    """What becomes of the objects of a manifest; `namespace` is the command's, empty when it names none."""
    try:
        if not isinstance(objects, (list, tuple)) or not objects:
            raise Refused("The manifest is empty.")
        for each in objects:
            _check_object(each, namespace, verb)
    except Refused as refusal:
        return ag.Verdict(decision="deny", reason=_explain(refusal))
    names = [f"{each['kind']}/{each['metadata']['name']}" for each in objects[:3]]
    more = f" and {len(objects) - 3} more" if len(objects) > 3 else ""
    return ag.Verdict(decision="ask", reason=f"'{verb}' changes {', '.join(names)}{more}.")


def judge_patch(patch: Any, patch_type: str, target: ResourceRef, subresource: str = "") -> ag.Verdict:
    """What becomes of a patch of an object, whose type is `strategic`, `merge` or `json`."""
    try:
        _check_patch(patch, patch_type, target, subresource)
    except Refused as refusal:
        return ag.Verdict(decision="deny", reason=_explain(refusal))
    return ag.Verdict(decision="ask", reason=f"The patch changes {target.full_name}.")


def _explain(refusal: Refused) -> str:
    """The reason, with the way to the field that it is about."""
    way = ".".join(reversed(getattr(refusal, "__notes__", ())))
    return f"{refusal.reason.removesuffix('.')} (in {way})." if way else refusal.reason


def _check_object(manifest: Any, namespace: str, verb: str) -> None:
    if not isinstance(manifest, dict):
        raise Refused("The manifest holds something that is no object.")
    kind = kind_in(manifest)
    check_kind(kind, "x" if verb == "delete" else "m")
    check_place(manifest, namespace, kind)
    # A deletion only reads what an object is called.
    if verb != "delete":
        manner = _MANIFESTS.get(verb)
        if manner is None:
            raise Refused("Manifests are applied, created, replaced, deleted or compared.")
        _WRITTEN[kind](manifest, manner)


def _check_patch(patch: Any, patch_type: str, target: ResourceRef, subresource: str) -> None:
    manner = _PATCHES.get(patch_type)
    if manner is None:
        raise Refused("A patch is of the type strategic, merge or json.")
    kind = kind_of(target)
    check_kind(kind, "pfu")
    assert kind is not None
    check_name(kind, target.name)
    rule = _rule(kind, subresource)
    if kind.group.endswith(GROUP_END) or kind.group in _WITHOUT_DIRECTIVES:
        manner = manner._replace(strategic=False)
    for each in written(patch) if manner.pointed else (patch,):
        if not each:
            raise Refused("The patch is empty, or no object.")
        rule(each, manner)
        _check_same_name(each, target)


def _rule(kind: Kind, subresource: str) -> Rule:
    if not subresource:
        return _CHANGED[kind]
    if subresource == "scale" and "s" in kind.uses:
        return _SCALED
    if subresource == "resize" and kind.plural == "pods" and not kind.group:
        return _RESIZED
    raise Refused("That part of an object is not patched.")


def _check_same_name(patch: dict[str, Any], target: ResourceRef) -> None:
    name = (patch.get("metadata") or {}).get("name", target.name)
    if name != target.name:
        raise Refused("A patch does not change the name of an object.")
