"""The API server of one cluster, as far as Flux needs it: discovery, reading, patching, asking for one's rights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

import agent_gateway as ag

from .kinds import Kind
from .objects import FluxObject

_JSON_PATCH = "application/json-patch+json"
_MOST_LISTED = 500
_LONGEST_MESSAGE = 2000
_FIELD_MANAGER = ("fieldManager", "agent-gateway")


class FluxApi:
    """Reads and patches objects of Flux. Discovery is done once for each instance, which lives as long as a call."""

    def __init__(self, cluster: ag.Cluster) -> None:
        self._cluster = cluster
        self._versions: dict[str, Sequence[str]] = {}
        self._paths: dict[str, str] = {}

    @property
    def cluster(self) -> str:
        """The cluster's name."""
        return self._cluster.name

    async def versions(self, group: str) -> Sequence[str]:
        """The versions of a group that are served, the preferred one first; none when it is not installed."""
        if group not in self._versions:
            try:
                found = await self._send("GET", f"/apis/{group}")
            except ag.NotFound:
                found = {}
            preferred = found.get("preferredVersion", {}).get("version")
            served = [each["version"] for each in found.get("versions", ())]
            self._versions[group] = tuple(sorted(served, key=lambda version: version != preferred))
        return self._versions[group]

    async def find_path(self, kind: Kind) -> str:
        """Where objects of a kind are served, empty when they are not."""
        if kind.plural not in self._paths:
            self._paths[kind.plural] = ""
            for version in await self.versions(kind.group):
                listed = await self._send("GET", f"/apis/{kind.group}/{version}")
                if any(each.get("name") == kind.plural for each in listed.get("resources", ())):
                    self._paths[kind.plural] = f"/apis/{kind.group}/{version}"
                    break
        return self._paths[kind.plural]

    async def read(self, kind: Kind, namespace: str, name: str) -> FluxObject:
        """One object; `NotFound` when it is not there."""
        path = f"{await self._installed(kind)}/namespaces/{namespace}/{kind.plural}/{name}"
        try:
            return FluxObject(kind, path, await self._send("GET", path))
        except ag.NotFound:
            raise ag.NotFound(f"there is no {kind.name} {namespace}/{name} in '{self.cluster}'") from None

    async def list(self, kind: Kind, namespace: str = "", name: str = "") -> list[FluxObject]:
        """Objects of a kind, at most a few hundred, in one namespace or all; only those of a name if one is given."""
        base = await self._installed(kind)
        within = f"/namespaces/{namespace}" if namespace else ""
        query = (("limit", str(_MOST_LISTED)), *((("fieldSelector", f"metadata.name={name}"),) if name else ()))
        found = await self._send("GET", f"{base}{within}/{kind.plural}", query)
        return [self._object(base, kind, each) for each in found.get("items") or ()]

    async def patch(self, found: FluxObject, operations: Sequence[Any], *, dry_run: bool = False) -> FluxObject:
        """Apply a JSON patch to an object, or have the API server say what would come of it."""
        query = (_FIELD_MANAGER, *((("dryRun", "All"),) if dry_run else ()))
        return FluxObject(found.kind, found.path, await self._send("PATCH", found.path, query, operations))

    async def check_right(self, found: FluxObject) -> None:
        """`Forbidden` when the gateway's account may not patch an object."""
        attributes = {
            "group": found.kind.group,
            "resource": found.kind.plural,
            "namespace": found.namespace,
            "name": found.name,
            "verb": "patch",
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = await self._send("POST", path, body={"spec": {"resourceAttributes": attributes}})
        if not answer.get("status", {}).get("allowed"):
            hint = f"its role needs the verb patch on {found.kind.plural} in the group {found.kind.group}"
            detail = f"the gateway's account may not patch {found.title} in '{self.cluster}'"
            raise ag.Forbidden(detail, code="cluster_forbidden", hint=hint)

    async def _installed(self, kind: Kind) -> str:
        path = await self.find_path(kind)
        if not path:
            raise ag.NotFound(f"the cluster '{self.cluster}' does not serve {kind.name}", code="flux_not_installed",
                              hint=f"is Flux, with {kind.group}, installed there?")  # fmt: skip
        return path

    @staticmethod
    def _object(base: str, kind: Kind, data: Mapping[str, Any]) -> FluxObject:
        metadata = data.get("metadata", {})
        path = f"{base}/namespaces/{metadata.get('namespace')}/{kind.plural}/{metadata.get('name')}"
        return FluxObject(kind, path, data)

    async def _send(self, method: str, path: str, query: tuple[tuple[str, str], ...] = (), body: Any = None) -> Any:
        request = ag.ApiRequest(
            method=method,
            path=path,
            query=query,
            body=b"" if body is None else msgspec.json.encode(body),
            content_type=_JSON_PATCH if method == "PATCH" else "application/json",
        )
        response = await self._cluster.send(request)
        try:
            found = msgspec.json.decode(response.body)
        except msgspec.DecodeError:
            found = None
        if response.status >= 300:
            raise _error(response.status, found, self.cluster)
        if not isinstance(found, dict):
            raise ag.Unavailable(f"the API server of '{self.cluster}' did not answer with an object")
        return found


def _error(status: int, found: Any, cluster: str) -> ag.GatewayError:
    """What the API server refused, in its own words."""
    message = str(found.get("message", "")) if isinstance(found, dict) else ""
    message = ag.excerpt(message, _LONGEST_MESSAGE) or f"the API server of '{cluster}' answered {status}"
    kinds: dict[int, type[ag.GatewayError]] = {401: ag.Forbidden, 403: ag.Forbidden, 404: ag.NotFound, 409: ag.Conflict}
    if status in kinds:
        return kinds[status](message)
    return ag.Unavailable(message) if status == 429 or status >= 500 else ag.InvalidInput(message)
