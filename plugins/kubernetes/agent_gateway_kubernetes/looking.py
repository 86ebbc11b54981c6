"""Commands that look closer: `describe`, `logs`, `events`, `top`."""

from __future__ import annotations

from typing import Any

import agent_gateway as ag

from .ages import parse_moment
from .descriptions import describe as describe_object
from .event_lines import read_events, show_events
from .listing import Wanted, read_objects
from .logs import DEFAULT_BYTES, DEFAULT_LINES, MOST_LOGS, LogWish, read_logs
from .pod_search import pods_of
from .resources import PODS
from .scope import Scope
from .usage import NODE_USAGE, POD_USAGE, top_nodes, top_pods

_MOST_DESCRIBED = 10


async def describe(scope: Scope) -> str:
    """Objects in full, with their events."""
    found = await scope.objects()
    events = scope.option("show-events", "true") == "true"
    parts = [await describe_object(scope.api, kind, one, events=events) for kind, one in found[:_MOST_DESCRIBED]]
    if len(found) > _MOST_DESCRIBED:
        parts.append(f"... and {len(found) - _MOST_DESCRIBED} more: name an object")
    return "\n\n---\n".join(parts)


async def logs(scope: Scope) -> str:
    """The end of the logs of a pod, of what runs pods, or of those that a selector names."""
    pods = await _pods(scope)
    several = len(pods) > 1
    share = max(DEFAULT_LINES // min(len(pods), MOST_LOGS), 20)
    lines = scope.number("tail", share)
    since_time = scope.option("since-time")
    if since_time and parse_moment(since_time) is None:
        raise ag.InvalidInput(f"--since-time must be a moment like 2026-11-22T10:00:00Z, not {since_time[:40]!r}")
    words = scope.command.words
    wish = LogWish(
        container=scope.option("container") or (words[0] if words else ""),
        every=scope.command.flag("all-containers"),
        lines=lines if lines > 0 else share,
        limit_bytes=scope.number("limit-bytes", DEFAULT_BYTES),
        since=scope.seconds("since"),
        since_time=since_time,
        previous=scope.command.flag("previous"),
        timestamps=scope.command.flag("timestamps"),
        prefix=scope.command.flag("prefix") and several,
    )
    return await read_logs(scope.api, pods, wish)


async def _pods(scope: Scope) -> list[dict[str, Any]]:
    named = [ref for ref in scope.command.resources if ref.name]
    if named:
        pods = []
        for ref in named:
            pods += await pods_of(scope.api, await scope.resource(ref), scope.namespace, ref.name)
        return pods
    wanted = Wanted(resource=PODS, namespace=scope.namespace, selector=scope.option("selector"))
    found = (await read_objects(scope.api, wanted)).objects
    if not found:
        raise ag.NotFound("there are no such pods")
    return found


async def events(scope: Scope) -> str:
    """The newest events, of everything or of one object."""
    about: dict[str, str] = {}
    # What the events are about is a name in them; nothing of the object itself is read.
    target = scope.option("for")
    if target:
        word, _, name = target.partition("/")
        about = {"kind": (await scope.discovery.find(scope.api, word)).kind, "name": name}
    found = await read_events(scope.api, scope.namespace, involved=about, types=scope.listed("types"))
    if not found:
        return "No events found" + (f" in the namespace '{scope.namespace}'." if scope.namespace else ".")
    headers = not scope.command.flag("no-headers")
    return show_events(found, namespaces=scope.command.all_namespaces, headers=headers)


async def top(scope: Scope) -> str:
    """What pods or nodes use."""
    nodes = scope.command.verb.removeprefix("top ").startswith("node")
    names = tuple(ref.name for ref in scope.command.resources if ref.name)
    wanted = Wanted(
        resource=NODE_USAGE if nodes else POD_USAGE,
        namespace="" if nodes else scope.namespace,
        names=names,
        selector=scope.option("selector"),
    )
    sort_by, headers = scope.option("sort-by"), not scope.command.flag("no-headers")
    if nodes:
        return await top_nodes(scope.api, wanted, sort_by=sort_by, headers=headers)
    each = scope.command.flag("containers")
    return await top_pods(scope.api, wanted, containers=each, sort_by=sort_by, headers=headers)
