"""The Kubernetes plugin's tools behind the real executor, over real API servers; and objects to work on."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plugins.kubernetes import agent_gateway_kubernetes as plugin
from tests.kubernetes_cluster import KubernetesCluster, clusters_of
from tests.memory_records import MemoryRecords, an_executor

import agent_gateway as ag
from agent_gateway.approval import Approval
from agent_gateway.interfaces import ApprovalDecision, Clusters
from agent_gateway.messages import ROLES, Role

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
    """The tools and their executor. `approval` is the last one that was asked for."""

    clusters: Clusters
    records: MemoryRecords = field(default_factory=MemoryRecords)
    approval: Approval | None = None

    def __post_init__(self) -> None:
        self.tools = {each.name: each for each in plugin.register_tools({})}
        self.executor = an_executor(self.tools, records=self.records)

    def turn(self, run_id: str = "") -> Turn:
        return Turn(self.clusters, tuple(self.tools), run_id or f"run-{next(_RUNS)}")

    async def call(self, tool: str, /, **arguments: Any) -> ag.ToolResult:
        """Call a tool; a change is not made, but asked for."""
        self.turned = self.turn()
        self.made = ag.ToolCall(id="call", name=tool, arguments=arguments)
        result = await self.executor.call(self.made, self.turned)
        self.approval = await self.records.of_call(self.turned.run_id, "call")
        return result

    async def approve(self) -> ag.ToolResult:
        """Let the human say yes to the last change that was asked for, and make it."""
        assert self.approval is not None
        await self.records.decide(self.approval.id, ApprovalDecision(decision="approve", by="bob"))
        return await self.executor.perform(self.made, self.turned)

    async def kubectl(self, command: str, **arguments: Any) -> ag.ToolResult:
        """Call `kubectl`."""
        return await self.call("kubectl", command=command, **arguments)

    async def read(self, command: str, **arguments: Any) -> str:
        """The text of a command that only reads."""
        result = await self.kubectl(command, **arguments)
        assert result.status == "ok", result.text
        return result.text

    async def change(self, command: str, **arguments: Any) -> ag.ToolResult:
        """Ask for a change, approve it, make it."""
        asked = await self.kubectl(command, **arguments)
        assert asked.status == "waiting", asked.text
        return await self.approve()


@asynccontextmanager
async def open_house(folder: Path, **contexts: tuple[KubernetesCluster, str]) -> AsyncIterator[House]:
    """The tools over clusters: name -> control plane and user."""
    clusters = clusters_of(folder, **contexts)
    try:
        yield House(clusters)
    finally:
        await clusters.close()


def a_deployment(name: str = "web", replicas: int = 2, **template: Any) -> dict[str, Any]:
    """A deployment of one container."""
    labels = {"app": name}
    container = {"name": name, "image": f"registry.example.com/{name}:1.0", "env": [{"name": "MODE", "value": "a"}]}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container], **template}},
        },
    }


def a_pod(name: str, node: str = "", owner: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A pod of the app whose name its own begins with."""
    app = name.partition("-")[0]
    spec: dict[str, Any] = {"containers": [{"name": app, "image": "registry.example.com/x:1"}], **fields}
    if node:
        spec["nodeName"] = node
    metadata: dict[str, Any] = {"name": name, "labels": {"app": app}}
    if owner is not None:
        metadata["ownerReferences"] = [{**owner, "apiVersion": "apps/v1", "controller": True}]
    return {"metadata": metadata, "spec": spec}


def deployments(namespace: str) -> str:
    """Where deployments are."""
    return f"/apis/apps/v1/namespaces/{namespace}/deployments"


def pods(namespace: str) -> str:
    """Where pods are."""
    return f"/api/v1/namespaces/{namespace}/pods"


def add_revisions(cluster: KubernetesCluster, namespace: str) -> None:
    """Two replica sets of a deployment, as its controller makes them: revision 1 has the image 0.9."""
    (web,) = cluster.create(deployments(namespace), a_deployment())
    uid = web["metadata"]["uid"]
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": uid, "controller": True}
    for number, image in ((1, "0.9"), (2, "1.0")):
        template: dict[str, Any] = json.loads(json.dumps(web["spec"]["template"]))
        template["metadata"]["labels"]["pod-template-hash"] = f"h{number}"
        template["spec"]["containers"][0]["image"] = f"registry.example.com/web:{image}"
        labels = {"app": "web", "pod-template-hash": f"h{number}"}
        notes = {"deployment.kubernetes.io/revision": str(number)}
        if number == 1:
            notes["kubernetes.io/change-cause"] = "first"
        metadata = {"name": f"web-h{number}", "labels": labels, "annotations": notes, "ownerReferences": [owner]}
        spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
        cluster.create(f"/apis/apps/v1/namespaces/{namespace}/replicasets", {"metadata": metadata, "spec": spec})
    notes = {"deployment.kubernetes.io/revision": "2"}
    cluster.patch(f"{deployments(namespace)}/web", {"metadata": {"annotations": notes}})
