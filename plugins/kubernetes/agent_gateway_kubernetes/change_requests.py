"""Changes as requests: with the trace they leave, and the condition under which the API server carries them out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .api import APPLY, JSON_PATCH, Api, Write
from .body_rules import APPLY_ANNOTATION, EFFECT_ANNOTATION, FIELD_MANAGER
from .changes import Change, uid_of
from .pruning import LAST_APPLIED


def to_write(change: Change, found: Mapping[str, Any] | None, key: str = "", *, dry_run: bool = False) -> Write:
    """The request that makes a change.

    `found` is the object as it was just read: the change fails with a conflict once it is another. `key` names the
    effect on what is written; a dry run has none.
    """
    path = change.path()
    match change.action:
        case "delete":
            return Write(method="DELETE", path=path, body=_deletion(change, found, dry_run=dry_run))
        case "evict":
            return Write(method="POST", path=f"{path}/eviction", body=_eviction(change, found))
        case "create":
            collection = change.resource.path(change.namespace)
            annotation = APPLY_ANNOTATION if change.for_apply else EFFECT_ANNOTATION
            return Write(method="POST", path=collection, body=_marked(change.body, key, {}, annotation))
        case "replace":
            return Write(method="PUT", path=path, body=_marked(change.body, key, _lock(found, uid=True)))
        case "apply":
            body = _marked(change.body, key, _lock(found), APPLY_ANNOTATION)
            return Write(method="PATCH", path=path, body=body, content_type=APPLY, query=(("force", "false"),))
    if change.content_type == JSON_PATCH:
        operations = [*change.body, *_operations(found or {}, key)]
        return Write(method="PATCH", path=path, body=operations, content_type=JSON_PATCH)
    body = _marked(change.body, key, _lock(found))
    return Write(method="PATCH", path=path, body=body, content_type=change.content_type)


def to_sign(change: Change, made: Mapping[str, Any]) -> Write:
    """The request that turns the fields of what was just created over from plain writes to server-side apply.

    Nothing but the entry of this gateway is changed, and only if it is still there.
    """
    entry = "/metadata/managedFields/0"
    operations = [
        {"op": "test", "path": "/metadata/uid", "value": uid_of(made)},
        {"op": "test", "path": f"{entry}/manager", "value": FIELD_MANAGER},
        {"op": "test", "path": f"{entry}/operation", "value": "Update"},
        {"op": "replace", "path": f"{entry}/operation", "value": "Apply"},
    ]
    return Write(method="PATCH", path=change.path(), body=operations, content_type=JSON_PATCH)


async def rehearse(api: Api, change: Change) -> dict[str, Any] | None:
    """What the object would be, says the API server itself; None when it would be gone."""
    found = await api.write(to_write(change, change.old, dry_run=True), dry_run=True)
    return None if change.action in {"delete", "evict"} else dict(found)


def without_noise(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest without what its reader left in it: status, identity, bookkeeping."""
    metadata = {
        key: value
        for key, value in (manifest.get("metadata") or {}).items()
        if key not in {"managedFields", "resourceVersion", "uid", "selfLink", "creationTimestamp", "generation"}
    }
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != LAST_APPLIED}
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    return {**{key: value for key, value in manifest.items() if key != "status"}, "metadata": metadata}


def _lock(found: Mapping[str, Any] | None, *, uid: bool = False) -> dict[str, Any]:
    if found is None:
        return {}
    metadata = found["metadata"]
    return {"resourceVersion": metadata["resourceVersion"], **({"uid": metadata["uid"]} if uid else {})}


def _marked(
    body: Mapping[str, Any], key: str, lock: Mapping[str, Any], annotation: str = EFFECT_ANNOTATION
) -> dict[str, Any]:
    metadata = {**(body.get("metadata") or {}), **lock}
    if key:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), annotation: key}
    return {**body, "metadata": metadata}


def _operations(found: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The same for a JSON patch."""
    metadata = found.get("metadata") or {}
    operations: list[dict[str, Any]] = [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata.get("resourceVersion")}
    ]
    if not key:
        return operations
    if metadata.get("annotations"):
        escaped = EFFECT_ANNOTATION.replace("~", "~0").replace("/", "~1")
        return [*operations, {"op": "add", "path": f"/metadata/annotations/{escaped}", "value": key}]
    return [*operations, {"op": "add", "path": "/metadata/annotations", "value": {EFFECT_ANNOTATION: key}}]


def _deletion(change: Change, found: Mapping[str, Any] | None, *, dry_run: bool) -> dict[str, Any]:
    metadata = (found or {}).get("metadata") or {}
    options: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": metadata.get("uid", ""), "resourceVersion": metadata.get("resourceVersion", "")},
        "propagationPolicy": "Background",
    }
    if dry_run:
        # A deletion that has a body is only a dry run when the body says so: the parameters are not looked at then.
        options["dryRun"] = ["All"]
    if change.grace_seconds is not None:
        options["gracePeriodSeconds"] = change.grace_seconds
    return options


def _eviction(change: Change, found: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "apiVersion": change.eviction,
        "kind": "Eviction",
        "metadata": {"name": change.name, "namespace": change.namespace},
        "deleteOptions": {"preconditions": {"uid": uid_of(found) if found else ""}},
    }
