"""Tools that look at a cluster, each with arguments of its own instead of a command line."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

import agent_gateway as ag

from .ages import parse_span
from .kubectl_tool import OUTPUT, SECONDS, ClusterName
from .lines import line, with_namespace
from .logs import LogWish, read_logs
from .pod_search import search_pods
from .recognition import recognize_describe_object, recognize_pod_logs
from .session import Kubernetes, Order

Namespace = Annotated[str, msgspec.Meta(description="The namespace; empty for all of them.")]
_LOOK: Any = {"timeout_seconds": SECONDS, "output_limit": OUTPUT, "intents": ("query", "troubleshoot")}

_RECOGNIZE = {"describe_object": recognize_describe_object, "pod_logs": recognize_pod_logs}


class ReadingTools:
    """Tools that change nothing."""

    def __init__(self, kubernetes: Kubernetes) -> None:
        self._kubernetes = kubernetes

    def tools(self) -> list[ag.Tool]:
        """All of them."""
        functions = (self.list_objects, self.describe_object, self.pod_logs, self.cluster_events)
        return [
            ag.tool(
                function,
                judge=getattr(self, f"judge_{function.__name__}"),
                recognize=_RECOGNIZE.get(function.__name__),
                **_LOOK,
            )
            for function in functions
        ]

    async def list_objects(
        self,
        kind: Annotated[str, msgspec.Meta(description="Like pods, deployments, nodes, helmreleases.")],
        context: ag.Context,
        namespace: Namespace = "",
        selector: Annotated[str, msgspec.Meta(description="A label selector like app=web; empty for all.")] = "",
        cluster: ClusterName = "",
    ) -> str:
        """List the objects of a kind in a Kubernetes cluster, with their status."""
        return await self._run(_list_line(kind, namespace, selector), cluster, context)

    def judge_list_objects(self, arguments: Any) -> ag.Verdict:
        """The grammar's rule about a call."""
        return _judge(lambda: _list_line(arguments["kind"], *_given(arguments, "namespace", "selector")))

    async def describe_object(
        self,
        kind: Annotated[str, msgspec.Meta(description="Like pod, deployment, node.")],
        name: str,
        context: ag.Context,
        namespace: Namespace = "",
        cluster: ClusterName = "",
    ) -> str:
        """Describe one Kubernetes object: its state, conditions, settings and events."""
        order = Order(line=line("describe", kind, name, namespace=namespace), cluster=cluster)
        return await self._kubernetes.run(await with_namespace(self._kubernetes, order, context), context, None)

    def judge_describe_object(self, arguments: Any) -> ag.Verdict:
        """The grammar's rule about a call."""
        (namespace,) = _given(arguments, "namespace")
        return _judge(lambda: line("describe", arguments["kind"], arguments["name"], namespace=namespace))

    async def pod_logs(
        self,
        name: Annotated[str, msgspec.Meta(description="A pod, deployment, service or app name.")],
        context: ag.Context,
        *,
        namespace: Namespace = "",
        since: Annotated[str, msgspec.Meta(description="How far back: 10m, 1h; empty for all.")] = "1h",
        container: Annotated[str, msgspec.Meta(description="The container; empty for the main one.")] = "",
        previous: Annotated[bool, msgspec.Meta(description="The log from before the last restart.")] = False,
        lines: Annotated[int, msgspec.Meta(description="Lines from the end of each log.", ge=1, le=5000)] = 200,
        cluster: ClusterName = "",
    ) -> str:
        """Read the newest log lines of an app's pods; finds them by the name of a pod, workload, service or app."""
        seconds = parse_span(since) if since else 0
        if seconds is None:
            raise ag.InvalidInput(f"'since' must be like 10m or 2h, not {since[:40]!r}")
        order = Order(line=line("logs", name, namespace=namespace, container=container), cluster=cluster)
        scope = self._kubernetes.scope(order, context)
        pods = await search_pods(scope.api, name, namespace)
        wish = LogWish(
            container=container,
            lines=lines,
            # The log from before a restart is older than most windows, and asked for whole.
            since=0 if previous else seconds,
            previous=previous,
        )
        return await read_logs(scope.api, pods, wish)

    def judge_pod_logs(self, arguments: Any) -> ag.Verdict:
        """The grammar's rule about a call."""
        namespace, container = _given(arguments, "namespace", "container")
        return _judge(lambda: line("logs", arguments["name"], namespace=namespace, container=container))

    async def cluster_events(self, context: ag.Context, namespace: Namespace = "", cluster: ClusterName = "") -> str:
        """List what has happened in a Kubernetes cluster lately: warnings, restarts, scheduling."""
        return await self._run(_events_line(namespace), cluster, context)

    def judge_cluster_events(self, arguments: Any) -> ag.Verdict:
        """The grammar's rule about a call."""
        return _judge(lambda: _events_line(*_given(arguments, "namespace")))

    async def _run(self, text: str, cluster: str, context: ag.Context) -> str:
        return await self._kubernetes.run(Order(line=text, cluster=cluster), context, None)


def _list_line(kind: str, namespace: str, selector: str) -> str:
    everywhere = {} if namespace else {"all_namespaces": "true"}
    return line("get", kind, namespace=namespace, selector=selector, **everywhere)


def _events_line(namespace: str) -> str:
    return line("events", namespace=namespace, **({} if namespace else {"all_namespaces": "true"}))


def _given(arguments: Any, *names: str) -> list[str]:
    return [str(arguments.get(name) or "") for name in names]


def _judge(write: Any) -> ag.Verdict:
    try:
        return Order(line=write()).judge()
    except ag.InvalidInput as error:
        return ag.Verdict(decision="deny", reason=error.detail)
