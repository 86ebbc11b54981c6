"""`flux_reconcile`: asks Flux's controllers to fetch and apply now, and waits for what they say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

import agent_gateway as ag

from .api import FluxApi
from .changes import change, check_approved, describe_change, is_marked, look_for
from .lookup import find
from .objects import REQUESTED, FluxObject
from .waiting import Progress, judge, patience, wait_for

SECONDS = 120.0
_FARES = {Progress.READY: "ready", Progress.FAILED: "NOT ready", Progress.RUNNING: "not finished yet"}
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
        asked, requested = await _ask(api, each, warrant)
        found, progress = await wait_for(api, asked, requested, until)
        told.append(_tell(found, progress))
        if progress is Progress.READY:
            continue
        if each is not chain[-1]:
            told.append(f"{chain[-1].title} was not asked, because its source is not ready.")
        # What was asked for has not come about: that the request was made does not make it a success.
        failed = progress is Progress.FAILED
        hint = "" if failed else "flux_get shows how it goes on"
        raise ag.GatewayError("\n".join(told), code="flux_not_ready" if failed else "flux_unfinished", hint=hint)
    return "\n".join(told)


async def _ask(api: FluxApi, found: FluxObject, warrant: ag.Warrant) -> tuple[FluxObject, str]:
    """Leave the request on an object, and say which it is; one that this call left before a cut is not repeated."""
    earlier = found.annotation(REQUESTED)
    if earlier and is_marked(found, warrant):
        return found, earlier
    requested = _now()
    return await change(api, found, {REQUESTED: requested}, None, warrant), requested


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
    """Look for the effect's key on every object that was to be asked, and say how each fares."""
    api = FluxApi(context.clusters.get(cluster))
    try:
        chain = await _resolve(api, (kind, name, namespace), with_source=with_source)
    except (ag.Unavailable, ag.NotFound, ag.InvalidInput) as error:
        return ag.Verification(outcome="unknown", text=f"it cannot be looked at: {error.detail}")
    seen = [look_for(each, warrant) for each in chain]
    text = "; ".join(each.text for each in seen)
    outcomes = {each.outcome for each in seen}
    if outcomes == {"done"}:
        progress = [judge(each, each.annotation(REQUESTED)) for each in chain]
        fares = ", ".join(f"{each.title} ({_FARES[how]})" for each, how in zip(chain, progress, strict=True))
        failed = Progress.FAILED in progress
        return ag.Verification(outcome="done", text=f"this call has asked {fares}", failed=failed)
    if outcomes == {"not_done"}:
        return ag.Verification(outcome="not_done", text=text)
    return ag.Verification(outcome="unknown", text=f"not all of it is known to have happened: {text}")


async def plan(api: FluxApi, wanted: tuple[str, str, str], *, with_source: bool) -> tuple[FluxObject, ...]:
    """What is to be asked, in order: the source, then the object. `Conflict` when one of them is suspended."""
    chain = await _resolve(api, wanted, with_source=with_source)
    for each in chain:
        if each.suspended:
            raise ag.Conflict(f"{each.title} is suspended, Flux would not act on it", code="flux_suspended",
                              hint="flux_resume it first")  # fmt: skip
    return chain


async def _resolve(api: FluxApi, wanted: tuple[str, str, str], *, with_source: bool) -> tuple[FluxObject, ...]:
    """The object that is meant, behind its source."""
    found = await find(api, *wanted)
    reference = found.source() if with_source else None
    if reference is None:
        return (found,)
    source = await api.read(reference[0], reference[1], reference[2])
    # A registry of charts has nothing to fetch: its controller never handles a request.
    return (found,) if source.spec.get("type") == "oci" else (source, found)


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
