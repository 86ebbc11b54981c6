"""Makes changes that were allowed, and no others: each object must still be as it was when somebody looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import agent_gateway as ag

from .api import Api
from .change_requests import to_sign, to_write
from .changes import REMOVALS, Change, effects_of, is_bound, uid_of

#: A status written between our reading and our writing is no reason to give up.
_ATTEMPTS = 5
_DONE = {"patch": "changed", "apply": "applied", "replace": "replaced", "create": "created", "delete": "deleted",
         "evict": "evicted"}  # fmt: skip


async def perform(api: Api, changes: Sequence[Change], warrant: ag.Warrant, lines: list[str]) -> None:
    """Make the changes that the warrant's targets name, in order; adds a line for each to `lines` once it is made.

    `Conflict` when one of them has changed since, or is not there any more. What was done before that is told.
    """
    planned = {change.target(api.cluster).name: change for change in changes}
    for target in warrant.targets:
        change = planned.get(target.name)
        try:
            if change is None:
                raise _changed(target.name)
            lines.append(f"{change.label()} {await _make(api, change, target, warrant.key)}")
        except ag.GatewayError as error:
            if not lines:
                raise
            done = "; ".join(lines)
            raise type(error)(f"{error.detail}. Before that: {done}", code=error.code, hint=error.hint) from error
    left = len(planned) - len(warrant.targets)
    if left > 0:
        lines.append(f"{left} more objects match by now; they were not shown, and nothing was done to them")


async def _make(api: Api, change: Change, target: ag.Target, key: str) -> str:
    found = change.old
    for _ in range(_ATTEMPTS):
        if change.action in REMOVALS and (found is None or uid_of(found) != target.uid):
            return "is gone already" + ("" if found is None else "; another one of that name is left alone")
        if found is not None and key in effects_of(found):
            # The write got there, and its answer was lost on the way.
            return _DONE[change.action]
        if (refusal := _compare(change, target, found)) is not None:
            raise refusal
        try:
            made = await api.write(to_write(change, found, key), dry_run=False)
        except (ag.Conflict, ag.NotFound) as error:
            found = await _look_again(api, change, found, error)
        else:
            return _DONE[change.action] + (await _sign(api, change, made) if change.for_apply else "")
    raise ag.Conflict(f"{change.label()} is being written all the time", hint="try again later")


async def _sign(api: Api, change: Change, made: Mapping[str, Any]) -> str:
    """Make what was created the property of server-side apply; returns what is to be told when that did not work.

    Only a creation fails when somebody else was faster, and only what was applied may be changed by the next apply.
    """
    try:
        await api.write(to_sign(change, made), dry_run=False)
    except ag.GatewayError as error:
        return f"; the next server-side apply may find its fields in conflict ({error.detail})"
    return ""


async def _look_again(
    api: Api, change: Change, found: Mapping[str, Any] | None, error: ag.GatewayError
) -> Mapping[str, Any] | None:
    """The object as it is by now, after a write failed; raises when the failure is about something else."""
    if change.action == "create":
        raise ag.Conflict(f"{change.label()} was not created: {error.detail}", hint="look at it again") from error
    again = await _read_again(api, change)
    if again is None and change.action not in REMOVALS:
        raise _changed(change.label()) from error
    if again is not None and _version(again) == _version(found):
        # Nobody wrote it meanwhile: the conflict is about fields of another owner, say.
        raise error
    return again


def _compare(change: Change, target: ag.Target, found: Mapping[str, Any] | None) -> ag.Conflict | None:
    """Why this is not what was shown: the object, or what is to be written."""
    if found is not None and not target.uid:
        return ag.Conflict(f"{change.label()} did not exist when this was approved", hint="look at it again")
    if (uid_of(found) if found is not None else "") != target.uid:
        return _changed(change.label())
    if target.version.partition(" ")[0] != change.version(None):
        return _changed(change.label(), "what this would write")
    if not is_bound(target, change.version(found)):
        return _changed(change.label())
    return None


def _version(found: Mapping[str, Any] | None) -> str:
    return "" if found is None else str(found["metadata"]["resourceVersion"])


async def _read_again(api: Api, change: Change) -> dict[str, Any] | None:
    try:
        return dict(await api.read(change.path()))
    except ag.NotFound:
        return None


def _changed(name: str, what: str = "the object") -> ag.Conflict:
    return ag.Conflict(
        f"{name}: {what} has changed since it was approved",
        code="target_changed",
        hint="nothing was done to it; look at it again and ask anew",
    )
