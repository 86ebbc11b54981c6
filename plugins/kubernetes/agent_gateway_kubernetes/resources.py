"""A kind of object as the API server serves it, and the addresses of its objects."""

from __future__ import annotations

import re

import msgspec

import agent_gateway as ag

#: What may be one segment of an address. Names of RBAC objects hold colons.
SEGMENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,251}[A-Za-z0-9])?")


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """A kind, in one version. `group` is empty for the first kinds (pods, services); `verbs` are the server's."""

    group: str
    version: str
    plural: str
    kind: str
    singular: str = ""
    namespaced: bool = True
    verbs: tuple[str, ...] = ()
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """Plural and group: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        """As objects name it: `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def one(self) -> str:
        """As kubectl names one of it: `deployment.apps`."""
        singular = self.singular or self.kind.lower()
        return f"{singular}.{self.group}" if self.group else singular

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The address of an object, or of all; without a namespace, of all namespaces. `InvalidInput`."""
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        parts += [part for part in (name, subresource) if part]
        for part in parts:
            if not SEGMENT.fullmatch(part):
                raise ag.InvalidInput(f"{part[:80]!r} cannot be part of an address")
        return "/" + "/".join(parts)


PODS = Resource(group="", version="v1", plural="pods", kind="Pod", singular="pod")
NODES = Resource(group="", version="v1", plural="nodes", kind="Node", singular="node", namespaced=False)
EVENTS = Resource(group="", version="v1", plural="events", kind="Event", singular="event")
SERVICES = Resource(group="", version="v1", plural="services", kind="Service", singular="service")
DEPLOYMENTS = Resource(group="apps", version="v1", plural="deployments", kind="Deployment", singular="deployment")
STATEFULSETS = Resource(group="apps", version="v1", plural="statefulsets", kind="StatefulSet", singular="statefulset")
DAEMONSETS = Resource(group="apps", version="v1", plural="daemonsets", kind="DaemonSet", singular="daemonset")
REPLICASETS = Resource(group="apps", version="v1", plural="replicasets", kind="ReplicaSet", singular="replicaset")
REVISIONS = Resource(group="apps", version="v1", plural="controllerrevisions", kind="ControllerRevision")
JOBS = Resource(group="batch", version="v1", plural="jobs", kind="Job", singular="job")
