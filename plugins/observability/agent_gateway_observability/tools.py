"""The three tools, asked directly: of Prometheus, of Loki, and of Tempo or Jaeger."""

from __future__ import annotations

from typing import Annotated

import msgspec

import agent_gateway as ag

from .loki import Loki
from .prometheus import Prometheus
from .recognition import QueryRecognizer
from .settings import ObservabilitySettings
from .traces import Traces

_LINES = 1000
_TRACES = 20
#: Looking at a search's traces closely is a second round of requests.
_ROUNDS = 2.5

Cluster = Annotated[str, msgspec.Meta(description="The cluster whose server is asked; empty for the usual one.")]
Since = Annotated[str, msgspec.Meta(description="How far back: 15m, 2h, 1d.")]


class QueryTools:
    """The tools over the servers of the settings."""

    def __init__(self, settings: ObservabilitySettings) -> None:
        self._settings = settings
        self._prometheus = Prometheus(settings)
        self._loki = Loki(settings)
        self._traces = Traces(settings)

    async def query_prometheus(
        self,
        query: Annotated[str, msgspec.Meta(description="PromQL, like sum by (job) (rate(http_requests_total[5m])).")],
        *,
        start: Annotated[str, msgspec.Meta(description="ISO time or now-1h; empty for one moment.")] = "",
        end: Annotated[str, msgspec.Meta(description="ISO time; empty for now.")] = "",
        step: Annotated[str, msgspec.Meta(description="Time between points, like 1m; empty for a fitting one.")] = "",
        since: Annotated[str, msgspec.Meta(description="A range that ends now, like 1h, instead of start.")] = "",
        cluster: Cluster = "",
    ) -> str:
        """Ask Prometheus for metrics by a PromQL query, as of now or over a range of time."""
        return await self._prometheus.query(query, start=start, end=end, step=step, since=since, cluster=cluster)

    async def query_loki(
        self,
        query: Annotated[str, msgspec.Meta(description='LogQL, like {app="checkout"} |= "timeout".')],
        *,
        since: Since = "1h",
        limit: Annotated[int, msgspec.Meta(description="Lines at most; 0 for the usual number.", ge=0)] = 0,
        cluster: Cluster = "",
    ) -> str:
        """Ask Loki for log lines by a LogQL query: how many, their patterns, and the newest."""
        most = limit or min(_LINES, self._settings.limits.log_lines)
        return await self._loki.query(query, since=since, limit=most, cluster=cluster)

    async def get_traces(
        self,
        *,
        service: Annotated[str, msgspec.Meta(description="A service's name; empty for all.")] = "",
        trace_id: Annotated[str, msgspec.Meta(description="One trace's id; then the rest is not needed.")] = "",
        since: Since = "1h",
        min_duration: Annotated[str, msgspec.Meta(description="Only slower ones, like 500ms; empty for all.")] = "",
        only_errors: Annotated[bool, msgspec.Meta(description="Only traces in which something failed.")] = False,
        limit: Annotated[int, msgspec.Meta(description="Traces at most; 0 for the usual number.", ge=0)] = 0,
        cluster: Cluster = "",
    ) -> str:
        """Find slow or failed traces, or read one: its critical path, failures, and who called whom."""
        if trace_id:
            return await self._traces.read(trace_id, cluster)
        most = limit or min(_TRACES, self._settings.limits.traces)
        return await self._traces.search(
            service, since, min_duration, only_errors=only_errors, limit=most, cluster=cluster
        )


def query_tools(settings: ObservabilitySettings) -> list[ag.Tool]:
    """The tools, each with what it recognizes in a plain message."""
    tools = QueryTools(settings)
    recognizer = QueryRecognizer(settings.queries)
    seconds = settings.limits.timeout_seconds

    return [
        ag.tool(
            tools.query_prometheus,
            timeout_seconds=seconds + 2,
            output_limit=8000,
            intents=("query", "troubleshoot", "analyze"),
            recognize=recognizer.recognize_query_prometheus,
        ),
        ag.tool(
            tools.query_loki,
            # Grouping some thousand lines takes a while after they have come.
            timeout_seconds=seconds + 10,
            output_limit=8000,
            intents=("query", "troubleshoot"),
            recognize=recognizer.recognize_query_loki,
        ),
        ag.tool(
            tools.get_traces,
            timeout_seconds=_ROUNDS * seconds,
            output_limit=8000,
            intents=("troubleshoot", "analyze", "query"),
            recognize=recognizer.recognize_get_traces,
        ),
    ]
