"""Flux's tools behind the real executor, over a real API server; its controllers are played by the test."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from plugins.flux import agent_gateway_flux as plugin
from tests.kubernetes_cluster import KubernetesCluster, clusters_of
from tests.memory_records import MemoryRecords, an_executor

import agent_gateway as ag
from agent_gateway.approval import Approval
from agent_gateway.interfaces import ApprovalDecision, Clusters
from agent_gateway.messages import ROLES, Role

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
GROUPS = {
    "kustomizations": "kustomize.toolkit.fluxcd.io/v1",
    "helmreleases": "helm.toolkit.fluxcd.io/v2",
    "gitrepositories": "source.toolkit.fluxcd.io/v1",
    "helmrepositories": "source.toolkit.fluxcd.io/v1",
}
KINDS = dict(zip(GROUPS, ("Kustomization", "HelmRelease", "GitRepository", "HelmRepository"), strict=True))
REQUESTED = "reconcile.fluxcd.io/requestedAt"
EFFECT = "agent-gateway/last-effect"
_RUNS = itertools.count(1)


@dataclass
class Turn:
    """What the executor and the tools need of a turn."""

    clusters: Clusters
    tools: tuple[str, ...]
    run_id: str
    policy: ag.Policy = field(default_factory=ag.Policy)
    deadline: float = float("inf")
    owner: str = "alice"
    roles: tuple[Role, ...] = ROLES

    @property
    def persona(self) -> ag.Persona:
        return ag.Persona(id="bruno", title="B", prompt="B", tools=self.tools, policy=self.policy)


@dataclass
class House:
    """The tools and their executor over one namespace with a repository and two things made from it."""

    clusters: Clusters
    cluster: KubernetesCluster
    namespace: str
    records: MemoryRecords = field(default_factory=MemoryRecords)
    seconds: float = float("inf")

    def __post_init__(self) -> None:
        self.tools = {each.name: each for each in plugin.register_tools()}
        self.executor = an_executor(self.tools, records=self.records)
        self.turned = self.turn()

    def turn(self) -> Turn:
        deadline = asyncio.get_running_loop().time() + self.seconds
        return Turn(self.clusters, tuple(self.tools), f"run-{next(_RUNS)}", deadline=deadline)

    async def call(self, tool: str, /, **arguments: Any) -> ag.ToolResult:
        """Call a tool; a change is not made, but asked for."""
        self.turned = self.turn()
        self.made = ag.ToolCall(id="call", name=tool, arguments=arguments)
        return await self.executor.call(self.made, self.turned)

    async def asked(self, tool: str, /, **arguments: Any) -> Approval:
        """Call a tool that changes something; what a human is shown."""
        result = await self.call(tool, **arguments)
        assert result.status == "waiting", result.text
        found = await self.records.of_call(self.turned.run_id, "call")
        assert found is not None
        return found

    async def approve(self) -> ag.ToolResult:
        """Let the human say yes to the last change that was asked for, and make it."""
        found = await self.records.of_call(self.turned.run_id, "call")
        assert found is not None
        await self.records.decide(found.id, ApprovalDecision(decision="approve", by="bob"))
        return await self.executor.perform(self.made, self.turned)

    async def change(self, tool: str, /, **arguments: Any) -> ag.ToolResult:
        """Ask for a change, approve it, make it."""
        await self.asked(tool, **arguments)
        return await self.approve()

    def path(self, plural: str, name: str = "") -> str:
        """Where an object, or a collection, is."""
        return f"/apis/{GROUPS[plural]}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def create(self, plural: str, name: str, spec: Mapping[str, Any], **metadata: Any) -> None:
        """Create an object that its controller has seen."""
        data = {
            "apiVersion": GROUPS[plural],
            "kind": KINDS[plural],
            "metadata": {"name": name, **metadata},
            "spec": spec,
        }
        self.cluster.call("POST", self.path(plural), data)
        settle(self.cluster, self.path(plural, name), "True", "Applied revision: main@sha1:aaa")

    def get(self, plural: str, name: str) -> Any:
        """An object as it is."""
        return self.cluster.get(self.path(plural, name))

    def annotations(self, plural: str, name: str) -> dict[str, str]:
        """Its annotations."""
        found: dict[str, str] = self.get(plural, name)["metadata"].get("annotations", {})
        return found


def settle(cluster: KubernetesCluster, path: str, ready: str, message: str) -> None:
    """Do what a controller does when it is through: set the condition and what it has handled and seen."""
    found = cluster.get(path)
    metadata = found["metadata"]
    condition = {
        "type": "Ready", "status": ready, "reason": "Tested", "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": metadata["generation"],
    }  # fmt: skip
    status: dict[str, Any] = {"conditions": [condition], "observedGeneration": metadata["generation"]}
    requested = metadata.get("annotations", {}).get(REQUESTED)
    if requested:
        status["lastHandledReconcileAt"] = requested
    if "/kustomizations/" in path:
        status["lastAppliedRevision"] = "main@sha1:aaa"
    cluster.patch(f"{path}/status", {"status": status})


async def _play(house: House, failing: Mapping[str, str], order: list[str]) -> None:
    while True:
        for plural in GROUPS:
            for each in (await asyncio.to_thread(house.cluster.get, house.path(plural)))["items"]:
                requested = each["metadata"].get("annotations", {}).get(REQUESTED)
                if not requested or each.get("status", {}).get("lastHandledReconcileAt") == requested:
                    continue
                name = each["metadata"]["name"]
                order.append(f"{plural}/{name}")
                ready, message = ("False", failing[name]) if name in failing else ("True", "Applied revision: bbb")
                await asyncio.to_thread(settle, house.cluster, house.path(plural, name), ready, message)
        await asyncio.sleep(0.05)


@asynccontextmanager
async def controllers(house: House, **failing: str) -> AsyncIterator[list[str]]:
    """Play Flux's controllers; those of the given names fail with a message. Yields what was handled, in order."""
    order: list[str] = []
    task = asyncio.create_task(_play(house, failing, order))
    try:
        yield order
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def install_flux(cluster: KubernetesCluster, assets: Path) -> None:
    """Define Flux's kinds, unless they are, and wait until they are served."""
    for file in sorted((assets / "kubernetes" / "flux-crds").glob("*.yaml")):
        for each in yaml.safe_load_all(file.read_text()):
            if each and not cluster.exists(f"{CRDS}/{each['metadata']['name']}"):
                cluster.create(CRDS, {key: value for key, value in each.items() if key != "status"})
    deadline = time.monotonic() + 20
    for plural, group in GROUPS.items():
        while not cluster.exists(f"/apis/{group}/{plural}"):
            assert time.monotonic() < deadline
            time.sleep(0.1)


@asynccontextmanager
async def open_house(
    cluster: KubernetesCluster, folder: Path, assets: Path, user: str = "admin"
) -> AsyncIterator[House]:
    """A namespace of its own with `repo`, the Kustomization `apps` and the HelmRelease `shop`."""
    await asyncio.to_thread(install_flux, cluster, assets)
    clusters = clusters_of(folder, air=(cluster, user))
    house = House(clusters, cluster, cluster.new_namespace())
    git = {"kind": "GitRepository", "name": "repo"}
    house.create("gitrepositories", "repo", {"interval": "1m", "url": "https://git.example.org/apps.git"})
    house.create("kustomizations", "apps", {"interval": "5m", "prune": True, "path": "./apps", "sourceRef": git})
    chart = {"spec": {"chart": "shop", "sourceRef": {"kind": "HelmRepository", "name": "charts"}}}
    house.create("helmrepositories", "charts", {"type": "oci", "url": "oci://registry.example.org/charts"})
    values = {"password": "hunter2"}
    notes = {"team": "shop"}
    house.create("helmreleases", "shop", {"interval": "5m", "chart": chart, "values": values}, annotations=notes)
    try:
        yield house
    finally:
        await clusters.close()
