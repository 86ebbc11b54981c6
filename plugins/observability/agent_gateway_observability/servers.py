"""Which server a call means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import agent_gateway as ag

from .settings import ObservabilitySettings, ServerSettings

DEFAULT = "default"
_TITLES = {"prometheus": "Prometheus", "loki": "Loki", "tempo": "Tempo", "jaeger": "Jaeger"}


class Place(NamedTuple):
    """One server: its kind (`loki`), the cluster it is of, and how to reach it."""

    kind: str
    cluster: str
    settings: ServerSettings

    @property
    def told(self) -> str:
        """As it is called in what people read."""
        return f"{_TITLES[self.kind]} of '{self.cluster}'"


def choose_server(settings: ObservabilitySettings, kinds: tuple[str, ...], cluster: str) -> Place:
    """The server of one of these kinds for a cluster, the first kind if several have it.

    Without a cluster it is `default`, or the only one. `NotFound` names the clusters there are, or the setting that is
    missing; `InvalidInput` when none of several is meant.
    """
    places: dict[str, Place] = {}
    for kind in kinds:
        for name, server in settings.of(kind).items():
            places.setdefault(name, Place(kind, name, server))
    if not places:
        what = " or ".join(_TITLES[kind] for kind in kinds)
        setting = " or ".join(f"plugins.observability.{kind}" for kind in kinds)
        raise ag.NotFound(f"no {what} is configured: set {setting} to its address", code="not_configured")
    return places[_choose_name(places, cluster, " or ".join(_TITLES[kind] for kind in kinds))]


def _choose_name(places: Mapping[str, Place], cluster: str, what: str) -> str:
    known = ", ".join(places)
    if cluster:
        if cluster not in places:
            raise ag.NotFound(f"there is no {what} of a cluster '{cluster[:80]}'", hint=f"there are: {known}")
        return cluster
    if DEFAULT in places:
        return DEFAULT
    if len(places) > 1:
        raise ag.InvalidInput(f"say which cluster's {what}: {known}", code="cluster_needed")
    return next(iter(places))
