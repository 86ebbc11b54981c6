"""What the body of a write may not hold, whatever command it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .request_places import Place

#: Lets a container out of its walls.
_PRIVILEGES = frozenset({"hostNetwork", "hostPID", "hostIPC", "privileged", "allowPrivilegeEscalation"})
_ESCAPES = frozenset({"hostPath", "hostPort", "procMount", "ephemeralContainers"})
#: Belongs to the garbage collector and to the object's own controller.
_BONDS = frozenset({"finalizers", "ownerReferences", "managedFields", "deletionGracePeriodSeconds"})
#: Labels and annotations that switch protection off, hand objects to another owner, or run code in a proxy.
_FOREIGN_KEYS = (
    "kustomize.toolkit.fluxcd.io/", "helm.toolkit.fluxcd.io/", "pod-security.kubernetes.io/", "linkerd.io/",
    "config.linkerd.io/", "container.apparmor.security.beta.kubernetes.io/", "eks.amazonaws.com/", "iam.gke.io/",
    "node-restriction.kubernetes.io/", "node-role.kubernetes.io/", "meta.helm.sh/", "sidecar.istio.io/",
)  # fmt: skip
_SNIPPET = "-snippet"
_JOINS_MESH = ("linkerd.io/inject", "enabled")
_FLUX = ".toolkit.fluxcd.io"
#: Asks a Flux controller to act now.
FLUX_REQUEST = "reconcile.fluxcd.io/"
#: The API server writes down under this name which fields this gateway has written.
FIELD_MANAGER = "agent-gateway"
#: Annotations of this gateway's own begin so.
OWN_PREFIX = "agent-gateway/"
#: Names the last write of this gateway.
EFFECT_ANNOTATION = f"{OWN_PREFIX}last-effect"
#: The same for server-side apply: a field that other writes own as well would be in conflict with it.
APPLY_ANNOTATION = f"{OWN_PREFIX}last-apply"
_DEEPEST = 60


def check_body(body: Mapping[str, Any], place: Place) -> str:
    """Why a body may not be sent, empty when it may."""
    if body.get("kind") in {"Secret", "TokenRequest", "List", "DeleteOptions"}:
        return f"a body of the kind '{body['kind']}' is never sent there"
    operations = body.get("operations")
    if isinstance(operations, list):
        return _check_operations(operations, place)
    if place.group.endswith(_FLUX):
        return _check_flux(body)
    if place.resource == "nodes":
        return _check_node(body)
    if "status" in body:
        return "a status is its controller's"
    if place.resource == "services":
        refusal = _check_exposure(body.get("spec"))
        if refusal:
            return refusal
    return next((refusal for refusal in _walk(body, 0) if refusal), "")


def _walk(value: Any, depth: int) -> Iterator[str]:
    """Everything that is wrong in a value, at any depth."""
    if depth > _DEEPEST:
        yield "its body is nested too deeply"
    elif isinstance(value, list):
        for each in value:
            yield from _walk(each, depth + 1)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield _check_field(str(key), each)
            yield from _walk(each, depth + 1)


def _check_field(key: str, value: Any) -> str:
    if (key in _PRIVILEGES and value is True) or (key in _ESCAPES and value not in (None, "", [])):
        return f"'{key}' would let a container out of its walls"
    if key == "capabilities" and isinstance(value, dict) and value.get("add"):
        return "capabilities are not added to containers"
    if key in _BONDS:
        return f"'{key}' is not changed"
    if key in {"annotations", "labels"} and isinstance(value, dict):
        return next((refusal for name, each in value.items() if (refusal := check_key(str(name), each))), "")
    return ""


def check_key(key: str, value: Any = None) -> str:
    """Why a label or an annotation may not be set or removed (then `value` is None), empty when it may."""
    if (key, value) == _JOINS_MESH:
        return ""
    if key.startswith(_FOREIGN_KEYS) or key.endswith(_SNIPPET):
        return f"the label or annotation '{key}' is not changed"
    return ""


def _check_exposure(spec: Any) -> str:
    if not isinstance(spec, dict):
        return ""
    if spec.get("type") in {"LoadBalancer", "NodePort", "ExternalName"} or spec.get("externalIPs"):
        return "services are not opened to the outside"
    return ""


def _check_flux(body: Mapping[str, Any]) -> str:
    """Flux objects may be asked to act, suspended and resumed; what they apply comes from Git."""
    metadata = body.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    strange = [key for key in annotations if not key.startswith((FLUX_REQUEST, OWN_PREFIX))]
    if strange or metadata.get("labels") or set(body.get("spec") or {}) - {"suspend"} or "status" in body:
        return "of a Flux object only the request to act and its suspension are changed"
    return ""


def _check_node(body: Mapping[str, Any]) -> str:
    spec = body.get("spec") or {}
    taints = spec.get("taints") or []
    if set(spec) - {"unschedulable", "taints"} or "status" in body:
        return "a node is only cordoned and tainted"
    if any(not isinstance(taint, dict) for taint in taints):
        return "its taints are no taints"
    return next((refusal for refusal in _walk(body.get("metadata") or {}, 0) if refusal), "")


def _check_operations(operations: list[Any], place: Place) -> str:
    """A JSON patch: each operation names its path."""
    if place.group.endswith(_FLUX) or place.resource == "nodes":
        return "this kind is not changed by a JSON patch"
    if _only_signs(operations):
        return ""
    for each in operations:
        path = each.get("path") if isinstance(each, dict) else None
        if not isinstance(path, str) or "from" in each:
            return "an operation of the patch is not understood"
        refusal = _check_operation(path.split("/")[1:], each.get("value"), place)
        if refusal:
            return refusal
    return ""


def _only_signs(operations: list[Any]) -> bool:
    """Whether a patch only says that what this gateway wrote was applied by it: nobody else's entry is touched."""
    entry = "/metadata/managedFields/0"
    signs = [
        {"op": "test", "path": f"{entry}/manager", "value": FIELD_MANAGER},
        {"op": "test", "path": f"{entry}/operation", "value": "Update"},
        {"op": "replace", "path": f"{entry}/operation", "value": "Apply"},
    ]
    match operations:
        case [{"op": "test", "path": "/metadata/uid", "value": str()}, *rest]:
            return rest == signs
    return False


def _check_operation(keys: list[str], value: Any, place: Place) -> str:
    names = [key.replace("~1", "/").replace("~0", "~") for key in keys]
    if not names or names[0] not in {"spec", "metadata", "data"}:
        return "a patch changes only spec, metadata or data"
    refusals = [_check_field(name, value) for name in names]
    if "annotations" in names or "labels" in names:
        refusals += [check_key(name) for name in names]
    if place.resource == "services":
        nested: Any = value
        for name in reversed(names[1:]):
            nested = {name: nested}
        refusals.append(_check_exposure(nested))
    refusals += list(_walk(value, 0))
    return next((refusal for refusal in refusals if refusal), "")
