"""Events: what a cluster says has happened, newest last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import agent_gateway as ag

from .ages import age
from .api import Api
from .listing import Wanted, read_objects
from .resources import EVENTS
from .tables import align

#: Events that are shown; the newest ones.
MOST_EVENTS = 100
_LONGEST_MESSAGE = 400


async def read_events(
    api: Api, namespace: str = "", *, involved: Mapping[str, str] | None = None, types: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The newest events, oldest first. `involved`: fields of the object they must be about."""
    selector = ",".join(f"involvedObject.{key}={value}" for key, value in (involved or {}).items() if value)
    found = await read_objects(api, Wanted(resource=EVENTS, namespace=namespace, field_selector=selector))
    wanted = {each.lower() for each in types}
    events = [each for each in found.objects if not wanted or str(each.get("type", "")).lower() in wanted]
    return sorted(events, key=_last_seen)[-MOST_EVENTS:]


def show_events(events: Sequence[Mapping[str, Any]], *, namespaces: bool = False, headers: bool = True) -> str:
    """Events as a table."""
    titles = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    rows = [[*_cells(event)] for event in events]
    if namespaces:
        titles.insert(0, "NAMESPACE")
        rows = [[str(event["metadata"].get("namespace", "")), *row] for event, row in zip(events, rows, strict=True)]
    return align([titles, *rows] if headers else rows)


def _cells(event: Mapping[str, Any]) -> list[str]:
    about = event.get("involvedObject") or {}
    repeated = int(event.get("count") or (event.get("series") or {}).get("count") or 1)
    seen = age(_last_seen(event)) + (f" (x{repeated})" if repeated > 1 else "")
    message = ag.excerpt(str(event.get("message", "")), _LONGEST_MESSAGE)
    target = f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}"
    return [seen, str(event.get("type", "")), str(event.get("reason", "")), target, message]


def _last_seen(event: Mapping[str, Any]) -> str:
    series = event.get("series") or {}
    moments = (event.get("lastTimestamp"), series.get("lastObservedTime"), event.get("eventTime"))
    return str(next((each for each in moments if each), event["metadata"].get("creationTimestamp", "")))
