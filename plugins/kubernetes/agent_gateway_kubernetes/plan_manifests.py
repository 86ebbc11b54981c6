"""Objects written down: created, brought to what a manifest says, or replaced by it.

`apply` merges the manifest into the object; what the manifest does not say stays as it is. With `server_side` the API
server merges by field ownership, and refuses what belongs to somebody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import agent_gateway as ag

from .api import MERGE, STRATEGIC, Api
from .change_requests import without_noise
from .changes import Change
from .discovery import Discovery
from .resources import Resource

Manner: TypeAlias = Literal["apply", "server_side", "create", "replace"]
#: Their kinds understand patches that merge lists by name; those of extensions do not.
_STRATEGIC_GROUPS = frozenset(
    {"", "apps", "batch", "autoscaling", "policy", "networking.k8s.io", "extensions", "coordination.k8s.io",
     "discovery.k8s.io", "events.k8s.io"}
)  # fmt: skip


def knows_strategic(resource: Resource) -> bool:
    """Tell whether a kind takes strategic merge patches."""
    return resource.group in _STRATEGIC_GROUPS


async def plan_manifest(
    api: Api, discovery: Discovery, manifest: Mapping[str, Any], namespace: str, manner: Manner
) -> Change:
    """The change that one manifest asks for; `InvalidInput`, `Conflict`, `NotFound`."""
    resource = await discovery.of_object(api, str(manifest.get("apiVersion", "")), str(manifest.get("kind", "")))
    body = without_noise(manifest)
    metadata = body["metadata"]
    name = metadata.get("name")
    if not isinstance(name, str) or not name:
        hint = "an object with generateName could not be found again"
        raise ag.InvalidInput(f"a {resource.kind} of the manifest has no name", hint=hint)
    place = _namespace(resource, metadata, namespace)
    if place:
        body["metadata"] = {**metadata, "namespace": place}
    old = await _read(api, resource, place, name)
    made = Change(
        action="create", resource=resource, namespace=place, name=name, body=body, for_apply=manner == "server_side"
    )
    match manner:
        case "create" if old is not None:
            raise ag.Conflict(f"{made.label()} exists already", hint="apply changes it")
        case "replace" if old is None:
            raise ag.NotFound(f"{made.label()} does not exist", hint="create makes it")
    if old is None:
        # Server-side apply would merge into whatever is there by then.
        return made
    kind = STRATEGIC if knows_strategic(resource) else MERGE
    action: Literal["apply", "replace", "patch"] = {
        "server_side": "apply",
        "replace": "replace",
        "apply": "patch",
    }[manner]  # type: ignore[assignment]  # the table holds nothing else
    return Change(
        action=action, resource=resource, namespace=place, name=name, old=old, body=body, content_type=kind
    )  # fmt: skip


def _namespace(resource: Resource, metadata: Mapping[str, Any], namespace: str) -> str:
    written = str(metadata.get("namespace") or "")
    if not resource.namespaced:
        return ""
    if namespace and written and namespace != written:
        raise ag.InvalidInput(f"the manifest is for the namespace '{written}', and the command for '{namespace}'")
    return written or namespace or "default"


async def _read(api: Api, resource: Resource, namespace: str, name: str) -> dict[str, Any] | None:
    try:
        return dict(await api.read(resource.path(namespace, name)))
    except ag.NotFound:
        return None
