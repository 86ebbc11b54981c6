"""Waits for a controller to have handled a request."""

from __future__ import annotations

import asyncio
from enum import Enum

import agent_gateway as ag

from .api import FluxApi
from .objects import FluxObject

#: Seconds between two looks: short at first, then longer.
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 2.0
#: Of the turn's time, as of a tool's: somebody has to answer afterwards. A second is for the way there and back.
_SHARE = 0.8
_MARGIN = 2.0


class Progress(Enum):
    """How far a request has come."""

    READY = "ready"
    FAILED = "failed"
    RUNNING = "running"


def judge(found: FluxObject, requested: str) -> Progress:
    """What an object says about a request: handled, of this generation, and at rest."""
    status = found.status
    ready = found.condition("Ready")
    seen = min(int(each.get("observedGeneration", found.generation)) for each in (status, ready))
    if status.get("lastHandledReconcileAt") != requested or seen < found.generation:
        return Progress.RUNNING
    if found.condition("Stalled").get("status") == "True":
        return Progress.FAILED
    if found.condition("Reconciling").get("status") == "True" and found.ready != "False":
        return Progress.RUNNING
    return {"True": Progress.READY, "False": Progress.FAILED}.get(found.ready, Progress.RUNNING)


def patience(context: ag.Context, seconds: float) -> float:
    """Until when to wait, on the event loop's clock: so many seconds, but within what the turn leaves to a tool."""
    now = asyncio.get_running_loop().time()
    return now + min(seconds, max((context.deadline - now) * _SHARE, 0.0)) - _MARGIN


async def wait_for(api: FluxApi, found: FluxObject, requested: str, until: float) -> tuple[FluxObject, Progress]:
    """Look at an object until its request is handled or the time is over. A failed look is not the end."""
    clock = asyncio.get_running_loop().time
    pause = _FIRST_PAUSE
    while True:
        try:
            found = await api.read(found.kind, found.namespace, found.name)
        except ag.Unavailable:
            if clock() >= until:
                raise
        progress = judge(found, requested)
        if progress is not Progress.RUNNING or clock() >= until:
            return found, progress
        await asyncio.sleep(max(min(pause, until - clock()), 0.01))
        pause = min(pause * 1.5, _LONGEST_PAUSE)
