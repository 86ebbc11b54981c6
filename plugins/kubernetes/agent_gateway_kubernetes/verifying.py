"""Asks the cluster whether a write has happened: by the trace it leaves, or by the object that is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import agent_gateway as ag

from .api import Api
from .changes import Place, effects_of, is_unwritten, place_of, uid_of
from .discovery import Discovery

#: Tells of a target's place whether its object is to be gone.
Removes = Callable[[Place], bool]


async def verify(api: Api, discovery: Discovery, warrant: ag.Warrant, removes: Removes) -> ag.Verification:
    """What the world says of the effect with the warrant's key.

    What was created or changed carries the key in an annotation, written by the same request. An object without it
    proves nothing: what was created may be deleted by now, and a later write may have taken the trace away. Only one
    that the API server has not written since it was looked at was certainly not changed. What was deleted or evicted
    is gone, or about to go, whoever did it: that very object is not deleted twice.
    """
    found = [await _look(api, discovery, target, warrant.key, removes) for target in warrant.targets]
    outcomes = {each.outcome for each in found}
    text = "; ".join(each.text for each in found[:10]) or "it has no objects"
    if len(outcomes) == 1:
        return ag.Verification(outcome=found[0].outcome, text=text)
    return ag.Verification(outcome="unknown", text=f"not all of it has happened: {text}" if found else text)


async def _look(api: Api, discovery: Discovery, target: ag.Target, key: str, removes: Removes) -> ag.Verification:
    place = place_of(target)
    label = f"{place.kind}/{place.name}"
    resource = await discovery.find(api, place.kind)
    try:
        found = await api.read(resource.path(place.namespace, place.name))
    except ag.NotFound:
        found = None
    if removes(place):
        return _look_for_absence(found, target, label)
    return _look_for_trace(found, target, key, label)


def _look_for_absence(found: dict[str, Any] | None, target: ag.Target, label: str) -> ag.Verification:
    if found is None:
        return ag.Verification(outcome="done", text=f"{label} is gone")
    if uid_of(found) != target.uid:
        return ag.Verification(outcome="done", text=f"{label} is another one now, the old one is gone")
    if found["metadata"].get("deletionTimestamp"):
        return ag.Verification(outcome="done", text=f"{label} is being deleted")
    return ag.Verification(outcome="not_done", text=f"{label} is still there")


def _look_for_trace(found: dict[str, Any] | None, target: ag.Target, key: str, label: str) -> ag.Verification:
    if found is None:
        return ag.Verification(outcome="unknown", text=f"{label} does not exist, or not any more")
    if key in effects_of(found):
        generation = found["metadata"].get("generation")
        state = f", generation {generation}" if generation else ""
        return ag.Verification(outcome="done", text=f"{label} carries this effect's key{state}")
    if is_unwritten(target, found):
        return ag.Verification(outcome="not_done", text=f"{label} was not written since it was looked at")
    if target.uid and uid_of(found) == target.uid:
        return ag.Verification(outcome="unknown", text=f"{label} was changed by another write")
    return ag.Verification(outcome="unknown", text=f"{label} is another one, without this effect's key")
