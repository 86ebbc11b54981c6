"""Changes of one object: previewed, made only if it is still the one that was looked at, and found again."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import yaml

import agent_gateway as ag

from .api import FluxApi
from .objects import EFFECT, FluxObject

_ATTEMPTS = 4
_MOST_EFFECTS = 5
#: Bookkeeping of the API server.
_BOOKKEEPING = frozenset({"managedFields", "resourceVersion", "generation", "selfLink"})
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def operations(found: FluxObject, annotations: Mapping[str, str], suspend: bool | None = None) -> list[dict[str, Any]]:
    """A JSON patch that fails unless identity and generation are those of the object as it was read."""
    patch: list[dict[str, Any]] = [
        {"op": "test", "path": "/metadata/uid", "value": found.uid},
        {"op": "test", "path": "/metadata/generation", "value": found.generation},
    ]
    if not found.metadata.get("annotations"):
        # Somebody else's first annotation must not be lost to ours.
        version = found.metadata.get("resourceVersion", "")
        patch.append({"op": "test", "path": "/metadata/resourceVersion", "value": version})
        patch.append({"op": "add", "path": "/metadata/annotations", "value": {}})
    for key, value in annotations.items():
        escaped = key.replace("~", "~0").replace("/", "~1")
        if key == EFFECT and found.effects:
            patch.append({"op": "test", "path": f"/metadata/annotations/{escaped}", "value": found.annotation(key)})
        patch.append({"op": "add", "path": f"/metadata/annotations/{escaped}", "value": value})
    if suspend is not None:
        patch.append({"op": "add", "path": "/spec/suspend", "value": suspend})
    return patch


async def change(
    api: FluxApi, found: FluxObject, annotations: Mapping[str, str], suspend: bool | None, warrant: ag.Warrant
) -> FluxObject:
    """Change an object that is still the approved one, else `Conflict`; the effect's key is left on it."""
    check_approved(api, found, warrant)
    for attempt in range(_ATTEMPTS):
        try:
            return await api.patch(found, operations(found, {**annotations, EFFECT: _mark(found, warrant)}, suspend))
        except (ag.InvalidInput, ag.Conflict):
            # A test of the patch failed. Unless the object has changed, only its annotations or its status have.
            found = await api.read(found.kind, found.namespace, found.name)
            check_approved(api, found, warrant)
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError


def is_marked(found: FluxObject, warrant: ag.Warrant) -> bool:
    """Whether an object carries the key of an effect."""
    return _word(warrant.key) in found.effects


def look_for(found: FluxObject, warrant: ag.Warrant) -> ag.Verification:
    """Whether an object carries the key of an effect; after many later ones nobody can tell."""
    if is_marked(found, warrant):
        return ag.Verification(outcome="done", text=f"{found.title} carries the mark of this call")
    if found.uid not in {target.uid for target in warrant.targets}:
        return ag.Verification(outcome="unknown", text=f"{found.title} is another object by now")
    if len(found.effects) >= _MOST_EFFECTS:
        return ag.Verification(outcome="unknown", text=f"{found.title} carries only the marks of later calls")
    return ag.Verification(outcome="not_done", text=f"{found.title} does not carry the mark of this call")


def _mark(found: FluxObject, warrant: ag.Warrant) -> str:
    key = _word(warrant.key)
    return " ".join([key, *(each for each in found.effects if each != key)][:_MOST_EFFECTS])


def _word(key: str) -> str:
    return "".join(key.split())


def check_approved(api: FluxApi, found: FluxObject, warrant: ag.Warrant) -> None:
    """`Conflict` unless an object is one that was approved, unchanged."""
    if found.target(api.cluster) not in warrant.targets:
        raise ag.Conflict(f"{found.title} is not what it was when this was approved", hint="ask again")


async def describe_change(
    api: FluxApi, found: FluxObject, annotations: Mapping[str, str], suspend: bool | None = None
) -> str:
    """The unified diff that the API server's dry run gives; `Forbidden` when the account may not make the change."""
    await api.check_right(found)
    after = await api.patch(found, operations(found, annotations, suspend), dry_run=True)
    old, new = (yaml.safe_dump(_shown(each, found, after), sort_keys=True).splitlines() for each in (found, after))
    name = f"{found.kind.plural}/{found.namespace}/{found.name}"
    return "".join(f"{line}\n" for line in difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm=""))


def _shown(each: FluxObject, before: FluxObject, after: FluxObject) -> dict[str, Any]:
    """What of an object is compared: not what stays the same and may hold secrets, nor bookkeeping."""
    metadata = {key: value for key, value in each.metadata.items() if key not in _BOOKKEEPING}
    notes = dict(metadata.get("annotations") or {})
    notes.pop(_LAST_APPLIED, None)
    metadata["annotations"] = notes
    same = {key for key in ("values", "postBuild", "patches") if before.spec.get(key) == after.spec.get(key)}
    return {"metadata": metadata, "spec": {key: value for key, value in each.spec.items() if key not in same}}
