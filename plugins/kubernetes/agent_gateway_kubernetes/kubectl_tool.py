"""The tool `kubectl`: any command of the grammar, as a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

import agent_gateway as ag

from .recognition import recognize_kubectl
from .session import Kubernetes, Order

ClusterName = Annotated[str, msgspec.Meta(description="The cluster's name; empty for the default one.")]
#: Enough for the longest `wait`.
SECONDS = 75.0
OUTPUT = 8000


class KubectlTool:
    """`kubectl` over the gateway's clusters."""

    def __init__(self, kubernetes: Kubernetes) -> None:
        self._kubernetes = kubernetes

    def tools(self) -> list[ag.Tool]:
        """The tool."""
        return [
            ag.tool(
                self.kubectl,
                effect=effect,
                judge=judge,
                preview=self.preview,
                verify=self.verify,
                recognize=recognize_kubectl,
                timeout_seconds=SECONDS,
                output_limit=OUTPUT,
                intents=("query", "troubleshoot", "deploy", "analyze"),
            )
        ]

    async def kubectl(
        self,
        command: Annotated[str, msgspec.Meta(description="One line, like: kubectl get pods -n apps")],
        context: ag.Context,
        manifest: Annotated[str, msgspec.Meta(description="YAML for a command with `-f -`, else empty.")] = "",
        cluster: ClusterName = "",
        warrant: ag.Warrant | None = None,
    ) -> str:
        """Run one kubectl command: get, describe, logs, top, events; scale, rollout, apply and other changes."""
        return await self._kubernetes.run(_order(command, manifest, cluster), context, warrant)

    async def preview(self, command: str, context: ag.Context, manifest: str = "", cluster: str = "") -> ag.Preview:
        """The dry run of a command."""
        return await self._kubernetes.preview(_order(command, manifest, cluster), context)

    async def verify(
        self, command: str, context: ag.Context, warrant: ag.Warrant, manifest: str = "", cluster: str = ""
    ) -> ag.Verification:
        """Whether a command's change has happened."""
        return await self._kubernetes.verify(_order(command, manifest, cluster), context, warrant)


def effect(arguments: Mapping[str, Any]) -> Literal["read", "write"]:
    """Whether a call changes something."""
    return _of(arguments).effect()


def judge(arguments: Mapping[str, Any]) -> ag.Verdict:
    """The grammar's rule about a call."""
    return _of(arguments).judge()


def _of(arguments: Mapping[str, Any]) -> Order:
    command, manifest, cluster = (str(arguments.get(name) or "") for name in ("command", "manifest", "cluster"))
    return _order(command, manifest, cluster)


def _order(command: str, manifest: str, cluster: str) -> Order:
    return Order(line=command, manifest=manifest, cluster=cluster)
