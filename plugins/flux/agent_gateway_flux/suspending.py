"""`flux_suspend` and `flux_resume`: has Flux leave an object alone, and take care of it again."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import msgspec

import agent_gateway as ag

from .api import FluxApi
from .changes import change, describe_change, look_for
from .lookup import find

_Kind = Annotated[str, msgspec.Meta(description="Kustomization, HelmRelease, GitRepository, ...; empty to search.")]
_Namespace = Annotated[str, msgspec.Meta(description="Empty to search all.")]


async def flux_suspend(
    name: str,
    kind: _Kind = "",
    namespace: _Namespace = "",
    cluster: str = "",
    *,
    context: ag.Context,
    warrant: ag.Warrant,
) -> str:
    """Suspend an object of Flux: nothing is fetched or applied for it until it is resumed."""
    return await _switch(FluxApi(context.clusters.get(cluster)), (kind, name, namespace), warrant, suspend=True)


async def flux_resume(
    name: str,
    kind: _Kind = "",
    namespace: _Namespace = "",
    cluster: str = "",
    *,
    context: ag.Context,
    warrant: ag.Warrant,
) -> str:
    """Resume a suspended object of Flux: it is fetched and applied again."""
    return await _switch(FluxApi(context.clusters.get(cluster)), (kind, name, namespace), warrant, suspend=False)


async def _switch(api: FluxApi, wanted: tuple[str, str, str], warrant: ag.Warrant, *, suspend: bool) -> str:
    found = await find(api, *wanted)
    if found.suspended is suspend:
        return f"{found.title} is {_word(suspend)} already: nothing was changed."
    await change(api, found, {}, suspend, warrant)
    return f"{found.title} in '{api.cluster}' is {_word(suspend)}."


async def _preview(
    suspend: bool,
    name: str,
    kind: str = "",
    namespace: str = "",
    cluster: str = "",
    *,
    context: ag.Context,
) -> ag.Preview:
    """The dry run's diff; `Conflict` (`already_so`) when there is nothing to do."""
    api = FluxApi(context.clusters.get(cluster))
    found = await find(api, kind, name, namespace)
    if found.suspended is suspend:
        raise ag.Conflict(f"{found.title} is {_word(suspend)} already", code="already_so")
    diff = await describe_change(api, found, {}, suspend)
    verb = "Suspend" if suspend else "Resume"
    summary = f"{verb} {found.title} in '{api.cluster}' (ready: {found.ready}, revision: {found.revision or 'none'})."
    return ag.Preview(summary=summary, diff=diff, targets=(found.target(api.cluster),))


async def _verify(
    suspend: bool,
    name: str,
    kind: str = "",
    namespace: str = "",
    cluster: str = "",
    *,
    context: ag.Context,
    warrant: ag.Warrant,
) -> ag.Verification:
    """Look for the effect's key on the object, and for the state it was to bring about."""
    api = FluxApi(context.clusters.get(cluster))
    try:
        found = await find(api, kind, name, namespace)
    except (ag.Unavailable, ag.NotFound, ag.InvalidInput) as error:
        return ag.Verification(outcome="unknown", text=f"it cannot be looked at: {error.detail}")
    if found.suspended is suspend:
        return ag.Verification(outcome="done", text=f"{found.title} is {_word(suspend)}")
    seen = look_for(found, warrant)
    if seen.outcome == "done":
        return ag.Verification(outcome="done", text=f"{found.title} was {_word(suspend)}, and is not any more")
    return seen


def _word(suspend: bool) -> str:
    return "suspended" if suspend else "resumed"


preview_suspend, preview_resume = partial(_preview, True), partial(_preview, False)
verify_suspend, verify_resume = partial(_verify, True), partial(_verify, False)
