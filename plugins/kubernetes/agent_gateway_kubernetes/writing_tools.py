"""Tools that change a workload, each with arguments of its own instead of a command line."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

import agent_gateway as ag

from .kubectl_tool import ClusterName
from .lines import line, with_namespace
from .recognition import recognize_restart_workload, recognize_scale_workload
from .session import Kubernetes, Order

Kind = Annotated[str, msgspec.Meta(description="deployment, statefulset or daemonset.")]
Namespace = Annotated[str, msgspec.Meta(description="The namespace; empty to look for it.")]
Replicas = Annotated[int, msgspec.Meta(description="How many pods.", ge=0, le=1000)]
_SECONDS = 30.0


class WritingTools:
    """Tools that a human approves."""

    def __init__(self, kubernetes: Kubernetes) -> None:
        self._kubernetes = kubernetes

    def tools(self) -> list[ag.Tool]:
        """All of them."""
        declared: Any = {"effect": "write", "timeout_seconds": _SECONDS, "intents": ("deploy",)}
        return [
            ag.tool(
                self.restart_workload,
                judge=self.judge_restart,
                preview=self.preview_restart,
                verify=self.verify_restart,
                recognize=recognize_restart_workload,
                **declared,
            ),
            ag.tool(
                self.scale_workload,
                judge=self.judge_scale,
                preview=self.preview_scale,
                verify=self.verify_scale,
                recognize=recognize_scale_workload,
                **declared,
            ),
        ]

    async def restart_workload(
        self,
        kind: Kind,
        name: str,
        *,
        context: ag.Context,
        warrant: ag.Warrant,
        namespace: Namespace = "",
        cluster: ClusterName = "",
    ) -> str:
        """Restart a workload's pods, one after the other."""
        order = await self._found(_restart(kind, name, namespace, cluster), context)
        return await self._kubernetes.run(order, context, warrant)

    async def preview_restart(
        self, kind: str, name: str, context: ag.Context, namespace: str = "", cluster: str = ""
    ) -> ag.Preview:
        """The dry run of a restart."""
        order = await self._found(_restart(kind, name, namespace, cluster), context)
        return await self._kubernetes.preview(order, context)

    async def verify_restart(
        self, kind: str, name: str, *, context: ag.Context, warrant: ag.Warrant, namespace: str = "", cluster: str = ""
    ) -> ag.Verification:
        """Whether a restart has happened."""
        return await self._kubernetes.verify(_restart(kind, name, namespace, cluster), context, warrant)

    def judge_restart(self, arguments: Any) -> ag.Verdict:
        """The grammar's rule about a call."""
        return _judge(lambda: _restart(**arguments))

    async def scale_workload(
        self,
        kind: Kind,
        name: str,
        replicas: Replicas,
        *,
        context: ag.Context,
        warrant: ag.Warrant,
        namespace: Namespace = "",
        cluster: ClusterName = "",
    ) -> str:
        """Change how many pods a workload runs."""
        order = await self._found(_scale(kind, name, replicas, namespace, cluster), context)
        return await self._kubernetes.run(order, context, warrant)

    async def preview_scale(
        self, kind: str, name: str, replicas: int, context: ag.Context, namespace: str = "", cluster: str = ""
    ) -> ag.Preview:
        """The dry run of a scaling."""
        order = await self._found(_scale(kind, name, replicas, namespace, cluster), context)
        return await self._kubernetes.preview(order, context)

    async def verify_scale(
        self,
        kind: str,
        name: str,
        replicas: int,
        *,
        context: ag.Context,
        warrant: ag.Warrant,
        namespace: str = "",
        cluster: str = "",
    ) -> ag.Verification:
        """Whether a scaling has happened."""
        return await self._kubernetes.verify(_scale(kind, name, replicas, namespace, cluster), context, warrant)

    def judge_scale(self, arguments: Any) -> ag.Verdict:
        """The grammar's rule about a call."""
        return _judge(lambda: _scale(**arguments))

    async def _found(self, order: Order, context: ag.Context) -> Order:
        return await with_namespace(self._kubernetes, order, context)


def _restart(kind: str, name: str, namespace: str = "", cluster: str = "") -> Order:
    return Order(line=line("rollout restart", kind, name, namespace=namespace), cluster=cluster)


def _scale(kind: str, name: str, replicas: int, namespace: str = "", cluster: str = "") -> Order:
    text = line("scale", kind, name, namespace=namespace, replicas=str(replicas))
    return Order(line=text, cluster=cluster)


def _judge(order: Any) -> ag.Verdict:
    try:
        found: Order = order()
    except ag.InvalidInput as error:
        return ag.Verdict(decision="deny", reason=error.detail)
    return found.judge()
