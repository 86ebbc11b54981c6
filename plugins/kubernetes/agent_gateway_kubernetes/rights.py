"""Whether the gateway's account may do something, asked of the cluster itself."""

from __future__ import annotations

from typing import Any

import agent_gateway as ag

from .api import Api
from .resources import Resource

ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
WHO = "/apis/authentication.k8s.io/{version}/selfsubjectreviews"


async def may(api: Api, attributes: dict[str, str]) -> tuple[bool, str]:
    """Whether it is allowed, and the cluster's reason."""
    found = await api.ask(ACCESS, _review("SelfSubjectAccessReview", {"resourceAttributes": attributes}))
    status = found.get("status") or {}
    return bool(status.get("allowed")), str(status.get("reason") or status.get("evaluationError") or "")


async def require(api: Api, verb: str, resource: Resource, namespace: str, name: str, subresource: str = "") -> None:
    """Raise `Forbidden` when the account may not do this."""
    attributes = {
        "verb": verb,
        "group": resource.group,
        "version": resource.version,
        "resource": resource.plural,
        "subresource": subresource,
        "namespace": namespace,
        "name": name,
    }
    allowed, _ = await may(api, {key: value for key, value in attributes.items() if value})
    if not allowed:
        kind = f"{resource.full_name}/{subresource}" if subresource else resource.full_name
        where = f" in the namespace '{namespace}'" if namespace else ""
        raise ag.Forbidden(
            f"the gateway's account on '{api.cluster}' may not {verb} {kind}{where}",
            code="cluster_forbidden",
            hint="nobody was asked; give the account a role that allows it",
        )


async def rules(api: Api, namespace: str) -> dict[str, Any]:
    """Everything the account may do in a namespace."""
    found = await api.ask(RULES, _review("SelfSubjectRulesReview", {"namespace": namespace}))
    return dict(found.get("status") or {})


async def who(api: Api, version: str) -> dict[str, Any]:
    """Who the cluster takes the account for; `version` is that of `SelfSubjectReview` there, empty for none.

    `NotFound` when it is too old to tell.
    """
    if not version:
        hint = "it can be asked from Kubernetes 1.26 on"
        raise ag.NotFound(f"the cluster '{api.cluster}' cannot tell who somebody is", hint=hint)
    body = {"apiVersion": f"authentication.k8s.io/{version}", "kind": "SelfSubjectReview"}
    found = await api.ask(WHO.format(version=version), body)
    return dict((found.get("status") or {}).get("userInfo") or {})


def _review(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
