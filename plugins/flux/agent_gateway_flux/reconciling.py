"""`flux_reconcile`: asks Flux's controllers to fetch and apply now, and waits for what they say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

import agent_gateway as ag

from .api import FluxApi
from .changes import change, check_approved, describe_change, look_for
from .lookup import find
from .objects import REQUESTED, FluxObject
from .waiting import Progress, patience, wait_for

SECONDS = 120.0
_Kind = Annotated[str, msgspec.Meta(description="Kustomization, HelmRelease, GitRepository, ...; empty to search.")]
_Namespace = Annotated[str, msgspec.Meta(description="Empty to search all.")]


async def flux_reconcile(
    name: str,
    kind: _Kind = "",
    namespace: _Namespace = "",
    with_source: Annotated[bool, msgspec.Meta(description="First fetch the source that it is made from.")] = True,
    cluster: str = "",
    *,
    context: ag.Context,
    warrant: ag.Warrant,
) -> str:
    """Have Flux reconcile an object now, its source first, and wait for the result."""
    api = FluxApi(context.clusters.get(cluster))
    until = patience(context, SECONDS)
    chain = await plan(api, (kind, name, namespace), with_source=with_source)
    for each in chain:
        check_approved(api, each, warrant)
    told: list[str] = []
    for each in chain:
        requested = _now()
        asked = await change(api, each, {REQUESTED: requested}, None, warrant)
        found, progress = await wait_for(api, asked, requested, until)
        told.append(_tell(found, progress))
        if progress is not Progress.READY and each is not chain[-1]:
            told.append(f"{chain[-1].title} was not asked, because its source is not ready.")
            break
    return "\n".join(told)


async def preview_reconcile(
    name: str, kind: str = "", namespace: str = "", with_source: bool = True, cluster: str = "", *, context: ag.Context
) -> ag.Preview:
    """What would be asked, of which objects, and how they are now."""
    api = FluxApi(context.clusters.get(cluster))
    chain = await plan(api, (kind, name, namespace), with_source=with_source)
    diff = "".join([await describe_change(api, each, {REQUESTED: _now()}) for each in chain])
    now = "; ".join(f"{each.title} (ready: {each.ready}, revision: {each.revision or 'none'})" for each in chain)
    return ag.Preview(
        summary=f"Reconcile in '{api.cluster}': {now}.",
        diff=diff,
        targets=tuple(each.target(api.cluster) for each in chain),
    )


async def verify_reconcile(
    name: str,
    kind: str = "",
    namespace: str = "",
    with_source: bool = True,
    cluster: str = "",
    *,
    context: ag.Context,
    warrant: ag.Warrant,
) -> ag.Verification:
    """Look for the effect's key on the object."""
    api = FluxApi(context.clusters.get(cluster))
    try:
        found = await find(api, kind, name, namespace)
    except (ag.Unavailable, ag.NotFound, ag.InvalidInput) as error:
        return ag.Verification(outcome="unknown", text=f"it cannot be looked at: {error.detail}")
    return look_for(found, warrant)


async def plan(api: FluxApi, wanted: tuple[str, str, str], *, with_source: bool) -> tuple[FluxObject, ...]:
    """What is to be asked, in order: the source, then the object. `Conflict` when one of them is suspended."""
    found = await find(api, *wanted)
    chain = [found]
    reference = found.source() if with_source else None
    if reference is not None:
        source = await api.read(reference[0], reference[1], reference[2])
        # A registry of charts has nothing to fetch: its controller never handles a request.
        if source.spec.get("type") != "oci":
            chain.insert(0, source)
    for each in chain:
        if each.suspended:
            raise ag.Conflict(f"{each.title} is suspended, Flux would not act on it", code="flux_suspended",
                              hint="flux_resume it first")  # fmt: skip
    return tuple(chain)


def _tell(found: FluxObject, progress: Progress) -> str:
    said = found.message or "its controller says nothing"
    if progress is Progress.READY:
        return f"{found.title} is ready: {said}"
    if progress is Progress.FAILED:
        return f"{found.title} was reconciled and is NOT ready: {said}"
    return f"{found.title} was asked and has not finished yet; so far: {ag.excerpt(said, 500)}"


def _now() -> str:
    """RFC 3339, to the microsecond: no two requests are the same."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
