"""Objects of a kind, by name or all of them, as tables or whole; never more than a budget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

import agent_gateway as ag

from .api import TABLE, Api, Query
from .resources import Resource

#: Of one kind at a time.
MOST_OBJECTS = 500
_PAGE = 250


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which objects: all of a kind in a namespace (in all when empty), those that selectors name, or some by name."""

    resource: Resource
    namespace: str = ""
    names: tuple[str, ...] = ()
    selector: str = ""
    field_selector: str = ""
    subresource: str = ""
    ignore_missing: bool = False

    def query(self) -> Query:
        """The selectors, as parameters."""
        terms = (("labelSelector", self.selector), ("fieldSelector", self.field_selector))
        return tuple((key, value) for key, value in terms if value)


class Found(msgspec.Struct, kw_only=True):
    """What there is: a server's table or objects, and how many more there are than were read."""

    table: dict[str, Any] = {}
    objects: list[dict[str, Any]] = []
    more: int = 0

    @property
    def note(self) -> str:
        """A sentence when something was left out."""
        return f"... and {self.more} more: name a namespace, a selector or an object" if self.more else ""


async def read_table(api: Api, wanted: Wanted, *, whole: bool = False) -> Found:
    """The server's table of them; with `whole` its rows hold the objects."""
    extra: Query = (("includeObject", "Object"),) if whole else ()
    if wanted.names:
        tables = await _each(api, wanted, extra, TABLE)
        rows = [row for table in tables for row in table.get("rows") or []]
        return Found(table={**tables[0], "rows": rows} if tables else {})
    found = Found()
    async for page in _pages(api, wanted, extra, TABLE):
        rows = [*(found.table.get("rows") or []), *(page.get("rows") or [])]
        found.table = {**page, "rows": rows}
        found.more = _remaining(page)
    return found


async def read_objects(api: Api, wanted: Wanted) -> Found:
    """The objects themselves, with kind and version."""
    if wanted.names:
        return Found(objects=await _each(api, wanted, (), "application/json"))
    found = Found()
    async for page in _pages(api, wanted, (), "application/json"):
        typed = {"apiVersion": wanted.resource.api_version, "kind": wanted.resource.kind}
        found.objects += [{**typed, **each} for each in page.get("items") or []]
        found.more = _remaining(page)
    return found


async def read_object(api: Api, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
    """One object."""
    return dict(await api.read(resource.path(namespace, name)))


async def _each(api: Api, wanted: Wanted, extra: Query, accept: str) -> list[dict[str, Any]]:
    found = []
    for name in wanted.names:
        path = wanted.resource.path(wanted.namespace, name, wanted.subresource)
        try:
            found.append(await api.read(path, extra, accept=accept))
        except ag.NotFound:
            if not wanted.ignore_missing:
                raise
    return found


async def _pages(api: Api, wanted: Wanted, extra: Query, accept: str) -> Any:
    path = wanted.resource.path(wanted.namespace)
    seen, follow = 0, ""
    while seen < MOST_OBJECTS:
        terms = (*wanted.query(), *extra, ("limit", str(_PAGE)), *((("continue", follow),) if follow else ()))
        page = await api.read(path, terms, accept=accept)
        yield page
        seen += len(page.get("rows") or page.get("items") or [])
        follow = (page.get("metadata") or {}).get("continue") or ""
        if not follow:
            return


def _remaining(page: Mapping[str, Any]) -> int:
    """How many are left; with a selector servers do not count, and one stands for some."""
    metadata = page.get("metadata") or {}
    return int(metadata.get("remainingItemCount") or (1 if metadata.get("continue") else 0))
