"""Looks at each request right before it is sent, whatever built it, and lets only harmless and expected ones pass.

It knows nothing of commands: method, path, query and body are all it looks at. RBAC is the layer behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

import agent_gateway as ag

from .body_rules import FIELD_MANAGER, check_body
from .grammar.content_places import is_control_namespace
from .request_places import Place, is_document, locate

#: Holds credentials, or stands for an identity: never read.
_UNREADABLE = frozenset({"secrets"})
#: Parts of an object that may be read.
_READABLE_PARTS = frozenset({"", "scale", "status"})
_READ_KEYS = frozenset(
    {"limit", "continue", "labelSelector", "fieldSelector", "resourceVersion", "includeObject", "timeoutSeconds",
     "watch"}
)  # fmt: skip
_LOG_KEYS = frozenset(
    {"container", "tailLines", "limitBytes", "sinceSeconds", "sinceTime", "timestamps", "previous", "follow"}
)
_WRITE_KEYS = frozenset({"dryRun", "fieldManager", "fieldValidation", "force"})
LONGEST_WATCH = 60
MOST_LINES, MOST_BYTES = 5000, 1_000_000

#: Questions about oneself; they are asked by POST and change nothing.
_QUESTIONS = {
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authentication.k8s.io", "selfsubjectreviews"),
}
#: Groups that decide who may do what, and what the API server admits, trusts and serves.
_UNTOUCHABLE_GROUPS = frozenset(
    {
        "rbac.authorization.k8s.io", "authorization.k8s.io", "authentication.k8s.io", "certificates.k8s.io",
        "admissionregistration.k8s.io", "apiregistration.k8s.io", "apiextensions.k8s.io", "policy.linkerd.io",
        "notification.toolkit.fluxcd.io", "storage.k8s.io", "node.k8s.io", "scheduling.k8s.io",
    }
)  # fmt: skip
_UNTOUCHABLE = frozenset({"secrets", "serviceaccounts", "events", "bindings", "networkpolicies", "componentstatuses"})
#: Data would be gone.
_UNDELETABLE = frozenset({"nodes", "persistentvolumeclaims", "persistentvolumes", "namespaces"})
_PATCHES = {
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/json-patch+json",
    "application/apply-patch+yaml",
}


def check_request(request: ag.ApiRequest) -> None:
    """Let a request pass, or raise `Forbidden` (code `request_refused`) with what is wrong with it."""
    query = dict(request.query)
    if len(query) != len(request.query):
        raise _refusal(request, "a parameter is given twice")
    if is_document(request.path):
        if request.method != "GET" or request.body or query:
            raise _refusal(request, "it can only be read")
        return
    place = locate(request.path)
    if place is None:
        raise _refusal(request, "it leads to no object")
    refusal = _check_read(place, query, request) if request.method == "GET" else _check_write(place, query, request)
    if refusal:
        raise _refusal(request, refusal)


def _check_read(place: Place, query: Mapping[str, str], request: ag.ApiRequest) -> str:
    if place.resource in _UNREADABLE:
        return "secrets are never read"
    if request.body:
        return "a read has no body"
    if place.resource == "pods" and place.subresource == "log":
        return _check_log(query)
    if place.subresource not in _READABLE_PARTS:
        return f"'{place.subresource}' is not for reading"
    unknown = set(query) - _READ_KEYS
    if unknown:
        return f"the parameter '{min(unknown)}' is not allowed"
    if "watch" in query and not (query["watch"] == "true" and _within(query.get("timeoutSeconds"), LONGEST_WATCH)):
        return "a watch must end by itself"
    return ""


def _check_log(query: Mapping[str, str]) -> str:
    unknown = set(query) - _LOG_KEYS
    if unknown or query.get("follow", "false") != "false":
        return f"the parameter '{min(unknown or {'follow'})}' is not allowed"
    if not (_within(query.get("tailLines"), MOST_LINES) and _within(query.get("limitBytes"), MOST_BYTES)):
        return "logs are read with a limit of lines and bytes"
    return ""


def _check_write(place: Place, query: Mapping[str, str], request: ag.ApiRequest) -> str:
    if (
        (place.group, place.resource) in _QUESTIONS
        and request.method == "POST"
        and place._replace(group="", resource="") == Place()
    ):
        return ""
    unknown = set(query) - _WRITE_KEYS
    if unknown:
        return f"the parameter '{min(unknown)}' is not allowed"
    if query.get("dryRun", "All") != "All" or query.get("fieldManager", FIELD_MANAGER) != FIELD_MANAGER:
        return "a parameter has a value that is not allowed"
    if query.get("force", "false") != "false":
        return "fields that belong to somebody else are not taken over"
    return _check_target(place, request.method) or _check_shape(place, query, request)


def _check_target(place: Place, method: str) -> str:
    if place.group in _UNTOUCHABLE_GROUPS or place.resource in _UNTOUCHABLE:
        return f"'{place.resource}' are never changed"
    if is_control_namespace(place.namespace):
        return f"nothing is changed in the namespace '{place.namespace}'"
    if not place.namespace and (place.resource, method) != ("nodes", "PATCH"):
        return "only nodes are changed outside namespaces"
    if method == "DELETE" and place.resource in _UNDELETABLE:
        return f"'{place.resource}' are never deleted"
    return ""


def _check_shape(place: Place, query: Mapping[str, str], request: ag.ApiRequest) -> str:
    """The right method for the place, with a body that does no more than it may."""
    body = _read_body(request)
    if body is None:
        return "its body is not JSON"
    if request.method == "POST":
        eviction = place.resource == "pods" and place.subresource == "eviction" and bool(place.name)
        if eviction:
            return "" if body.get("kind") == "Eviction" else "that is no eviction"
        if place.name:
            return "objects are created by their kind"
    elif not place.name or place.subresource:
        return "one whole object must be named"
    if request.method == "DELETE":
        return "a deletion has no parameters" if query else _check_deletion(body)
    if request.method == "PATCH" and request.content_type not in _PATCHES:
        return "its body is of an unknown kind"
    return check_body(body, place)


def _read_body(request: ag.ApiRequest) -> Any:
    """The body as an object; a JSON patch is wrapped, so that all bodies are looked at alike."""
    try:
        body = msgspec.json.decode(request.body)
    except msgspec.DecodeError:
        return None
    if request.content_type == "application/json-patch+json":
        return {"operations": body} if isinstance(body, list) else None
    return body if isinstance(body, dict) else None


def _check_deletion(body: Mapping[str, Any]) -> str:
    if body.get("dryRun", ["All"]) != ["All"]:
        return "its body is not understood"
    preconditions = body.get("preconditions")
    if not (isinstance(preconditions, dict) and preconditions.get("uid")):
        return "a deletion must say which object it means"
    if body.get("gracePeriodSeconds") == 0 or body.get("propagationPolicy") == "Orphan" or "orphanDependents" in body:
        return "objects are deleted gracefully, and with what belongs to them"
    return ""


def _within(value: str | None, most: int) -> bool:
    return value is not None and value.isdecimal() and 0 < int(value) <= most


def _refusal(request: ag.ApiRequest, why: str) -> ag.Forbidden:
    return ag.Forbidden(
        f"the request {request.method} {request.path[:200]} is not sent: {why}",
        code="request_refused",
        hint="this rule has no exception",
    )
