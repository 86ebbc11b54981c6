"""Objects of Flux: what they say about themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import agent_gateway as ag

from .kinds import HELM_RELEASE, KUSTOMIZATION, SOURCES, Kind, find_kind

REQUESTED = "reconcile.fluxcd.io/requestedAt"
#: Names the last writes of this gateway, the newest first.
EFFECT = "agent-gateway/last-effect"


@dataclass(frozen=True)
class FluxObject:
    """An object as the API server gave it. `path` is its address there."""

    kind: Kind
    path: str
    data: Mapping[str, Any]

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its metadata."""
        return _mapping(self.data.get("metadata"))

    @property
    def spec(self) -> Mapping[str, Any]:
        """What is wanted."""
        return _mapping(self.data.get("spec"))

    @property
    def status(self) -> Mapping[str, Any]:
        """What is."""
        return _mapping(self.data.get("status"))

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.metadata.get("namespace", ""))

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.metadata.get("name", ""))

    @property
    def title(self) -> str:
        """What to call it."""
        return f"{self.kind.name} {self.namespace}/{self.name}"

    @property
    def uid(self) -> str:
        """Its identity."""
        return str(self.metadata.get("uid", ""))

    @property
    def generation(self) -> int:
        """Counts the changes of what is wanted; a status changes all the time and does not count."""
        return int(self.metadata.get("generation", 0))

    @property
    def suspended(self) -> bool:
        """Whether its controller leaves it alone."""
        return self.spec.get("suspend") is True

    def annotation(self, key: str) -> str:
        """One of its annotations, empty when it is not there."""
        return str(_mapping(self.metadata.get("annotations")).get(key, ""))

    @property
    def effects(self) -> list[str]:
        """The keys of the last writes of this gateway, the newest first."""
        return self.annotation(EFFECT).split()

    def condition(self, kind: str) -> Mapping[str, Any]:
        """A condition, empty when it is not there."""
        found = [_mapping(each) for each in self.status.get("conditions") or ()]
        return next((each for each in found if each.get("type") == kind), {})

    @property
    def ready(self) -> str:
        """True, False or Unknown."""
        return str(self.condition("Ready").get("status", "Unknown"))

    @property
    def message(self) -> str:
        """What its controller says about it."""
        return str(self.condition("Ready").get("message", ""))

    @property
    def revision(self) -> str:
        """What it has applied or fetched."""
        status = self.status
        for key in ("lastAppliedRevision", "lastAttemptedRevision"):
            if status.get(key):
                return str(status[key])
        return str(_mapping(status.get("artifact")).get("revision", ""))

    def target(self, cluster: str) -> ag.Target:
        """What an approval is bound to. A new status is no change of it."""
        name = f"{cluster}/{self.kind.plural}.{self.kind.group}/{self.namespace}/{self.name}"
        return ag.Target(name=name, uid=self.uid, version=f"generation:{self.generation}")

    def source(self) -> tuple[Kind, str, str] | None:
        """Kind, namespace and name of the source it is made from."""
        spec = self.spec
        reference = _mapping(spec.get("sourceRef"))
        if self.kind is HELM_RELEASE:
            chart = _mapping(_mapping(spec.get("chart")).get("spec"))
            reference = _mapping(chart.get("sourceRef")) or _mapping(spec.get("chartRef"))
        elif self.kind is not KUSTOMIZATION and self.kind.name != "HelmChart":
            return None
        try:
            kind = find_kind(str(reference.get("kind", "")))
        except ag.InvalidInput:
            return None
        if kind not in SOURCES or not reference.get("name"):
            return None
        return kind, str(reference.get("namespace") or self.namespace), str(reference["name"])


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
