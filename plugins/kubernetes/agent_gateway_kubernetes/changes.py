"""One object, and what is to become of it; and the state somebody looked at when it was allowed.

A target's `version` binds two things. `plan` is a digest of what is to be written: a command that takes it from another
object (a cron job's template, an earlier revision) must still come to the same when it is carried out. `state` is a
digest of what was decided about the object itself (spec, data, labels, annotations), not its resourceVersion:
controllers write a status every few seconds, and what a human approved would never be done on a live cluster. The
write itself still carries the resourceVersion that was read a moment before, together with the check of that digest,
so that nothing can come between. `spec.replicas` counts only when the change is about it: an autoscaler moves it all
the time. `seen` and `generation` bind nothing; they tell later whether the object was written at all since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

import agent_gateway as ag

from .api import MERGE
from .body_rules import APPLY_ANNOTATION, EFFECT_ANNOTATION
from .pruning import state_of
from .resources import Resource

Action: TypeAlias = Literal["patch", "apply", "replace", "create", "delete", "evict"]
#: Action -> the verb that the account needs, and the part of the object.
RIGHTS: Mapping[Action, tuple[str, str]] = {
    "patch": ("patch", ""),
    "apply": ("patch", ""),
    "replace": ("update", ""),
    "create": ("create", ""),
    "delete": ("delete", ""),
    "evict": ("create", "eviction"),
}
REMOVALS = frozenset({"delete", "evict"})
_SEEN = " seen:"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is to happen to one object. `old` is the object as it was read, None when there is none.

    `body` is a patch of `content_type`, or the whole object; `bound`, where there is one, stands for it in what an
    approval binds, because the body holds the moment it was made. `eviction` is the version that evictions have there.
    `for_apply`: what is created belongs to server-side apply from then on.
    """

    action: Action
    resource: Resource
    namespace: str
    name: str
    old: Mapping[str, Any] | None = None
    body: Any = None
    content_type: str = MERGE
    eviction: str = ""
    grace_seconds: int | None = None
    bound: Any = None
    for_apply: bool = False

    def path(self) -> str:
        """The address of the object."""
        return self.resource.path(self.namespace, self.name)

    def label(self) -> str:
        """`deployment.apps/web in apps`."""
        return f"{self.resource.one}/{self.name}" + (f" in {self.namespace}" if self.namespace else "")

    def target(self, cluster: str) -> ag.Target:
        """The object and its state, as an approval holds them."""
        name = target_name(cluster, self.resource, self.namespace, self.name)
        if self.old is None:
            return ag.Target(name=name, version=self.version(None))
        return ag.Target(name=name, uid=uid_of(self.old), version=self.version(self.old) + self._traces_of(self.old))

    def version(self, found: Mapping[str, Any] | None) -> str:
        """What an approval binds: what is to be written, and the object as it is, None when there is none."""
        body = self.body if self.bound is None else self.bound
        plan = _digest([self.action, self.content_type, self.grace_seconds, body])
        return f"plan:{plan}" if found is None else f"plan:{plan} {self._state(found)}"

    def _state(self, found: Mapping[str, Any]) -> str:
        """What tells whether an object is as it was."""
        decided = state_of(found)
        if not self._about_replicas() and isinstance(decided.get("spec"), dict):
            decided["spec"] = {key: value for key, value in decided["spec"].items() if key != "replicas"}
        return f"state:{_digest(decided)} effect:{_short(effects_of(found))}"

    def _traces_of(self, found: Mapping[str, Any]) -> str:
        """What a write of the object would move: its resourceVersion, and its generation if its spec is changed."""
        metadata = found["metadata"]
        seen = f"{_SEEN}{metadata.get('resourceVersion', '')}"
        counted = metadata.get("generation") and self.action == "patch" and self._only_spec()
        return f"{seen} generation:{metadata['generation']}" if counted else seen

    def _only_spec(self) -> bool:
        if isinstance(self.body, list):
            return all(str(each.get("path", "")).startswith("/spec/") for each in self.body)
        return isinstance(self.body, dict) and set(self.body) == {"spec"}

    def _about_replicas(self) -> bool:
        if isinstance(self.body, list):
            return any(str(each.get("path", "")).startswith("/spec/replicas") for each in self.body)
        return isinstance(self.body, dict) and "replicas" in (self.body.get("spec") or {})


class Place(NamedTuple):
    """Where a target is."""

    cluster: str
    kind: str
    namespace: str
    name: str


def target_name(cluster: str, resource: Resource, namespace: str, name: str) -> str:
    """What tells an object from everything else: `air/deployments.apps/web/api`."""
    return "/".join(part for part in (cluster, resource.full_name, namespace, name) if part)


def place_of(target: ag.Target) -> Place:
    """The parts of a target's name."""
    match target.name.split("/"):
        case [cluster, kind, namespace, name]:
            return Place(cluster, kind, namespace, name)
        case [cluster, kind, name]:
            return Place(cluster, kind, "", name)
    raise ag.InvalidInput(f"'{target.name[:200]}' is no object of a cluster")


def uid_of(found: Mapping[str, Any]) -> str:
    """An object's identity: another one of the same name has another."""
    return str(found["metadata"].get("uid", ""))


def effects_of(found: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of the gateway's last writes to an object, empty when there were none."""
    annotations = found["metadata"].get("annotations") or {}
    return tuple(annotations[each] for each in (EFFECT_ANNOTATION, APPLY_ANNOTATION) if each in annotations)


def is_bound(target: ag.Target, version: str) -> bool:
    """Tell whether this is what was approved."""
    return target.version.partition(_SEEN)[0] == version


def is_unwritten(target: ag.Target, found: Mapping[str, Any]) -> bool:
    """Tell whether it is certain that nothing was written to an object since it was looked at.

    A key that is not on it proves nothing: a later write may have put the old annotations back. What the API server
    counts by itself does.
    """
    metadata = found["metadata"]
    version, _, rest = target.version.partition(_SEEN)[2].partition(" ")
    if not version or uid_of(found) != target.uid:
        return False
    return version == str(metadata.get("resourceVersion")) or rest == f"generation:{metadata.get('generation')}"


def _digest(value: Any) -> str:
    """Long enough that nobody can make up two objects that have the same."""
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def _short(keys: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:8] if keys else "none"
