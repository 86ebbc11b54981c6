"""Commands about how far something is: `rollout status`, `rollout history`, `wait`."""

from __future__ import annotations

from typing import Any

import agent_gateway as ag

from .listing import read_objects
from .resources import Resource
from .rollouts import check_kind, progress_of, show_history
from .scope import Scope
from .waiting import LONGEST_WAIT, Wish, parse_wish, wait_for

_DEFAULT_WAIT = 30


async def rollout_status(scope: Scope) -> str:
    """How far rollouts are; with a timeout, it waits for their end that long."""
    seconds = 0 if scope.option("watch") == "false" else scope.seconds("timeout")
    lines = []
    for resource, found in await scope.objects():
        check_kind(resource)
        lines.append(await _status(scope, resource, found, seconds))
    return "\n".join(lines)


async def _status(scope: Scope, resource: Resource, found: dict[str, Any], seconds: int) -> str:
    progress = progress_of(found)
    place = (found["metadata"]["namespace"], found["metadata"]["name"])

    def ended(now: dict[str, Any] | None) -> bool:
        state = progress_of({"kind": resource.kind, **now}) if now is not None else None
        return state is None or state.done or state.failed

    if seconds and not (progress.done or progress.failed):
        try:
            now = await wait_for(scope.api, resource, place, ended, seconds)
        except ag.Unavailable as error:
            if error.code != "wait_over":
                raise
            now = dict(await scope.api.read(resource.path(*place)))
        if not now:
            raise ag.NotFound(f"{resource.one} '{place[1]}' was deleted meanwhile")
        progress = progress_of({"kind": resource.kind, **now})
    state = "failed" if progress.failed else "complete" if progress.done else "not complete yet"
    return f"{state}: {progress.text}"


async def rollout_history(scope: Scope) -> str:
    """Which revisions there were."""
    found = await scope.objects()
    number = scope.number("revision")
    return "\n\n".join([await show_history(scope.api, resource, one, number) for resource, one in found])


async def wait(scope: Scope) -> str:
    """Wait, at most a minute, until objects are as the command says."""
    text = scope.option("for")
    wish: Wish = parse_wish(text)
    seconds = min(scope.seconds("timeout", _DEFAULT_WAIT), LONGEST_WAIT)
    lines = []
    for each in await scope.wanted():
        selected = [] if each.names else (await read_objects(scope.api, each)).objects
        names = each.names or tuple(one["metadata"]["name"] for one in selected)
        for name in names:
            found = await wait_for(scope.api, each.resource, (each.namespace, name), wish, seconds)
            lines.append(f"{each.resource.one}/{name} " + (f"is so: {text}" if found else "is gone"))
    return "\n".join(lines)
