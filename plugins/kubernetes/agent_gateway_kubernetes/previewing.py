"""What changes would do: first whether the account may, then what the API server says would come of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import agent_gateway as ag

from . import rights
from .api import Api
from .change_requests import rehearse
from .changes import REMOVALS, RIGHTS, Action, Change, target_name
from .hidden_values import writes_hidden
from .resources import Resource
from .yaml_text import diff_objects

#: Objects that one command may change.
MOST_CHANGES = 50
_PARALLEL = 4
_NAMED = 5


async def preview(api: Api, changes: Sequence[Change], summary: str) -> ag.Preview:
    """The dry run of changes; raises `GatewayError` when one of them cannot be made."""
    check_number(changes)
    await _require_rights(api, changes)
    gate = asyncio.Semaphore(_PARALLEL)

    async def show(change: Change) -> str:
        async with gate:
            new = await rehearse(api, change)
        name = target_name(api.cluster, change.resource, change.namespace, change.name)
        if change.action in REMOVALS:
            return f"--- a/{name}\n+++ /dev/null\n@@ the whole object @@"
        return await asyncio.to_thread(_show, name, change, new)

    diffs = await asyncio.gather(*(show(change) for change in changes))
    if not any(diffs):
        raise ag.InvalidInput(f"{summary}: this changes nothing", hint="it is so already")
    return ag.Preview(
        summary=f"{summary} on {api.cluster}: {name_all(changes)}",
        diff="\n".join(diff for diff in diffs if diff),
        targets=tuple(change.target(api.cluster) for change in changes),
    )


def _show(name: str, change: Change, new: Mapping[str, Any] | None) -> str:
    return diff_objects(name, change.old, new, hides=writes_hidden(change.body, new))


async def _require_rights(api: Api, changes: Sequence[Change]) -> None:
    """Ask once for all objects of a kind in a namespace; for a single one, by its name."""
    names: dict[tuple[Resource, str, Action], list[str]] = {}
    for each in changes:
        names.setdefault((each.resource, each.namespace, each.action), []).append(each.name)
    for (resource, namespace, action), those in names.items():
        verb, subresource = RIGHTS[action]
        name = those[0] if len(those) == 1 and action != "create" else ""
        await rights.require(api, verb, resource, namespace, name, subresource)


def check_number(changes: Sequence[Change]) -> None:
    """Raise `InvalidInput` when there is nothing to change, or too much at once."""
    if not changes:
        raise ag.NotFound("there is nothing that this command would change")
    if len(changes) > MOST_CHANGES:
        raise ag.InvalidInput(
            f"this would change {len(changes)} objects, and one command may change {MOST_CHANGES}",
            hint="name them, or use a narrower selector",
        )
    several = [each for each, times in Counter(change.label() for change in changes).items() if times > 1]
    if several:
        raise ag.InvalidInput(f"{several[0]} would be changed twice", hint="name it once")


def name_all(changes: Sequence[Change]) -> str:
    """The objects of changes, the first few of many."""
    named = ", ".join(change.label() for change in changes[:_NAMED])
    return f"{named} and {len(changes) - _NAMED} more" if len(changes) > _NAMED else named
