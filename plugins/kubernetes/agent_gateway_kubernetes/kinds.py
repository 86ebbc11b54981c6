"""Kinds as an API server lists them, found by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .resources import Resource


class Kinds:
    """Some kinds of a cluster, best group and version first."""

    def __init__(self, resources: Sequence[Resource], versions: Sequence[str], eviction: str = "") -> None:
        self.resources = resources
        self.versions = versions
        #: The version in which pods are evicted; empty where they cannot be.
        self.eviction = eviction
        self._by_name: dict[str, Resource] = {}
        for each in resources:
            for name in (each.plural, each.singular, each.kind.lower(), *each.short_names):
                self._by_name.setdefault(name, each)

    def find(self, name: str) -> Resource | None:
        """A kind by plural, singular or short name."""
        return self._by_name.get(name)

    def of_object(self, api_version: str, kind: str) -> Resource | None:
        """The kind of an object that says what it is."""
        return next((each for each in self.resources if (each.api_version, each.kind) == (api_version, kind)), None)


def parse_kinds(documents: Mapping[str, Mapping[str, Any]]) -> Kinds:
    """The kinds in the server's lists, one for each version."""
    found = [each for version, document in documents.items() for each in _parse(version, document)]
    return Kinds(found, list(documents), _eviction(documents.get("v1") or {}))


def _parse(group_version: str, document: Mapping[str, Any]) -> Iterator[Resource]:
    group, _, version = group_version.rpartition("/")
    for each in document.get("resources") or []:
        if "/" not in each["name"]:
            yield Resource(
                group=group,
                version=version,
                plural=each["name"],
                kind=each["kind"],
                singular=each.get("singularName") or each["kind"].lower(),
                namespaced=each["namespaced"],
                verbs=tuple(each.get("verbs") or ()),
                short_names=tuple(each.get("shortNames") or ()),
                categories=tuple(each.get("categories") or ()),
            )


def _eviction(document: Mapping[str, Any]) -> str:
    named = [each for each in document.get("resources") or [] if each["name"] == "pods/eviction"]
    return f"{named[0]['group']}/{named[0]['version']}" if named and named[0].get("group") else ""
