"""What a cluster is and serves: kinds, versions, and what the gateway's account may do there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import rights
from .api import Api
from .kinds import Kinds
from .resources import Resource
from .tables import align

_MOST_RULES = 200


def show_kinds(kinds: Sequence[Resource], *, names: bool = False, wide: bool = False, headers: bool = True) -> str:
    """Kinds as kubectl's `api-resources` lists them."""
    if names:
        return "\n".join(each.full_name for each in kinds)
    titles = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]
    rows = [
        [each.plural, ",".join(each.short_names), each.api_version, str(each.namespaced).lower(), each.kind]
        for each in kinds
    ]
    if wide:
        titles.append("VERBS")
        rows = [[*row, ",".join(each.verbs)] for row, each in zip(rows, kinds, strict=True)]
    return align([titles, *rows] if headers else rows)


def choose_kinds(
    kinds: Kinds, *, group: str | None = None, namespaced: bool | None = None, verbs: Sequence[str] = ()
) -> list[Resource]:
    """One version of each kind that fits, in order of group and name."""
    found: dict[str, Resource] = {}
    for each in kinds.resources:
        fits = (
            (group is None or each.group == group)
            and (namespaced is None or each.namespaced == namespaced)
            and set(verbs) <= set(each.verbs)
        )
        if fits:
            found.setdefault(each.full_name, each)
    return sorted(found.values(), key=lambda each: (each.group, each.plural))


async def show_version(api: Api) -> str:
    """The API server's version, in one line."""
    found = await api.read("/version")
    return f"Server Version: {found.get('gitVersion', 'unknown')} ({found.get('platform', 'unknown platform')})"


async def show_rules(api: Api, namespace: str) -> str:
    """Everything the gateway's account may do in a namespace."""
    status = await rights.rules(api, namespace)
    rows = [["RESOURCES", "NAMES", "VERBS"]]
    rows += [
        [_list(rule, "resources", "apiGroups"), _list(rule, "resourceNames"), _list(rule, "verbs")]
        for rule in (status.get("resourceRules") or [])[:_MOST_RULES]
    ]
    rows += [
        [_list(rule, "nonResourceURLs"), "[]", _list(rule, "verbs")]
        for rule in (status.get("nonResourceRules") or [])[:_MOST_RULES]
    ]
    note = "\n(the cluster says this list may be incomplete)" if status.get("incomplete") else ""
    return align(rows) + note


def _list(rule: Mapping[str, Any], key: str, groups: str = "") -> str:
    names = [str(each) for each in rule.get(key) or []]
    suffixes = [f".{group}" if group else "" for group in rule.get(groups) or [""]] if groups else [""]
    return f"[{' '.join(name + suffix for name in names for suffix in suffixes)}]"
