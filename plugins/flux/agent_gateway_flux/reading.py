"""`flux_get`: what Flux has, and how it fares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

import agent_gateway as ag

from .api import FluxApi
from .kinds import KINDS, find_kind
from .lookup import check_name, find
from .objects import REQUESTED, FluxObject

_MOST_LINES = 200
_DETAILS = ("interval", "path", "url", "ref", "dependsOn", "targetNamespace", "chartRef", "sourceRef")


async def flux_get(
    kind: Annotated[
        str, msgspec.Meta(description="Kustomization, HelmRelease, GitRepository, HelmRepository, ...; empty for all.")
    ] = "",
    name: Annotated[str, msgspec.Meta(description="One object in detail; empty for a list.")] = "",
    namespace: Annotated[str, msgspec.Meta(description="Empty for all.")] = "",
    cluster: str = "",
    *,
    context: ag.Context,
) -> str:
    """Show what Flux manages: ready or not, why, suspended, revision; failing ones first, one object in detail."""
    api = FluxApi(context.clusters.get(cluster))
    if name:
        return "\n".join(_detail(await find(api, kind, name, namespace)))
    if namespace:
        check_name(namespace, "namespace")
    kinds = (find_kind(kind),) if kind else KINDS
    found: list[FluxObject] = []
    served = [each for each in kinds if await api.find_path(each)]
    if not served:
        what = kinds[0].name if kind else "kind of Flux"
        raise ag.NotFound(f"the cluster '{api.cluster}' does not serve any {what}", code="flux_not_installed")
    for each in served:
        found += await api.list(each, namespace)
    if not found:
        return f"There are no objects of {'this kind' if kind else 'Flux'} in {namespace or api.cluster}."
    return "\n".join(_table(found))


def _table(found: list[FluxObject]) -> Iterator[str]:
    """One line for each object, those in trouble first."""
    order = {"False": 0, "Unknown": 1}
    listed = sorted(found, key=lambda each: (order.get(each.ready, 2), not each.suspended, each.title))
    troubled = sum(each.ready != "True" for each in found)
    suspended = sum(each.suspended for each in found)
    yield f"{len(found)} objects, {troubled} not ready, {suspended} suspended"
    for each in listed[:_MOST_LINES]:
        state = f"ready={each.ready}" + (" SUSPENDED" if each.suspended else "")
        yield f"{each.title}  {state}  {each.revision or '-'}  {ag.excerpt(each.message, 240)}"
    if len(listed) > _MOST_LINES:
        yield f"... and {len(listed) - _MOST_LINES} more; name a kind or a namespace"


def _detail(found: FluxObject) -> Iterator[str]:
    """Everything about one object but its values, which may hold secrets."""
    yield f"{found.title}: ready={found.ready}, suspended={str(found.suspended).lower()}"
    yield f"revision: {found.revision or 'none'}"
    attempted = found.status.get("lastAttemptedRevision")
    if attempted and attempted != found.revision:
        yield f"last attempted revision: {attempted}"
    yield f"generation: {found.generation}, observed: {found.status.get('observedGeneration', 'never')}"
    source = found.source()
    if source is not None:
        yield f"source: {source[0].name} {source[1]}/{source[2]}"
    for key in _DETAILS:
        if key in found.spec and key != "sourceRef":
            yield f"{key}: {_compact(found.spec[key])}"
    requested = found.annotation(REQUESTED)
    if requested:
        yield f"requested: {requested}, handled: {found.status.get('lastHandledReconcileAt', 'never')}"
    for each in found.status.get("conditions") or ():
        state = f"{each.get('type')}={each.get('status')} {each.get('reason', '')}"
        yield f"{state} since {each.get('lastTransitionTime', '')}: {each.get('message', '')}"


def _compact(value: Any) -> str:
    return value if isinstance(value, str) else ag.excerpt(msgspec.json.encode(value).decode(), 300)
