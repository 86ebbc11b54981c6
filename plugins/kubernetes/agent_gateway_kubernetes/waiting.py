"""Waits until an object is as it should be: it looks once, then watches, at most a minute."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

import agent_gateway as ag

from .api import Api
from .path_parser import parse_path
from .paths import Budget, find, plain
from .pruning import conceal
from .resources import Resource

LONGEST_WAIT = 60.0
#: Of one object, looked at each time it changes.
_MOST_VALUES = 20_000
#: Is given the object, None when there is none, and tells whether that is what was waited for.
Wish = Callable[[dict[str, Any] | None], bool]


def parse_wish(text: str) -> Wish:
    """What `--for` says: `delete`, `create`, `condition=Ready[=False]`, `jsonpath={.a}=value`; `InvalidInput`."""
    if text == "delete":
        return lambda found: found is None
    if text == "create":
        return lambda found: found is not None
    kind, _, rest = text.partition("=")
    if kind == "condition" and rest:
        name, _, status = rest.partition("=")
        return lambda found: _has_condition(found, name, status or "True")
    if kind == "jsonpath" and rest:
        path, separator, value = rest.rpartition("=") if "}=" in rest or not rest.endswith("}") else (rest, "", "")
        steps = parse_path(path.strip("'\"").removeprefix("{").removesuffix("}"))
        wanted = value.strip("'\"")

        def holds(found: dict[str, Any] | None) -> bool:
            # What may not be shown is not compared either: the answer would tell it, bit by bit.
            values = find(conceal([found])[0], steps, Budget(_MOST_VALUES))
            return any(not separator or plain(each) == wanted for each in values)

        return holds
    raise ag.InvalidInput(
        f"it is not understood what to wait for: {text[:80]!r}",
        hint="condition=NAME, delete, create and jsonpath={.path}=value are",
    )


async def wait_for(api: Api, resource: Resource, place: tuple[str, str], wish: Wish, seconds: float) -> dict[str, Any]:
    """Wait for an object, given by namespace and name, and return it (empty when it is gone).

    `Unavailable` with code `wait_over` when the time is over.
    """
    namespace, name = place
    deadline = time.monotonic() + min(seconds, LONGEST_WAIT)
    path, terms = resource.path(namespace), (("fieldSelector", f"metadata.name={name}"),)
    while True:
        listed = await api.read(path, terms)
        found = next(iter(listed.get("items") or []), None)
        if await asyncio.to_thread(wish, found):
            return dict(found or {})
        left = deadline - time.monotonic()
        if left <= 0:
            raise ag.Unavailable(f"{resource.one} '{name}': it is not so yet, the time is over", code="wait_over")
        version = (("resourceVersion", str(listed["metadata"]["resourceVersion"])),)
        async for line in api.watch(path, (*terms, *version), left):
            event = msgspec.json.decode(line)
            if event.get("type") == "ERROR":
                break
            found = None if event.get("type") == "DELETED" else event.get("object")
            if await asyncio.to_thread(wish, found):
                return dict(found or {})


def _has_condition(found: dict[str, Any] | None, name: str, status: str) -> bool:
    conditions = ((found or {}).get("status") or {}).get("conditions") or []
    generation = int(((found or {}).get("metadata") or {}).get("generation") or 0)
    return any(
        str(each.get("type", "")).lower() == name.lower()
        and str(each.get("status", "")).lower() == status.lower()
        and int(each.get("observedGeneration") or generation) >= generation
        for each in conditions
    )
