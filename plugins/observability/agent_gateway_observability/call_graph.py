"""Which service calls which: how often, with how many failures, and how long it takes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .trace_model import Span, Trace


class Edge(NamedTuple):
    """Calls from one service to another; times are those of the called side, in seconds."""

    caller: str
    called: str
    calls: int
    failures: int
    p50: float
    p95: float

    @property
    def error_share(self) -> float:
        """From 0 to 1."""
        return self.failures / self.calls


def service_graph(traces: Iterable[Trace]) -> list[Edge]:
    """The edges between different services, the most used first."""
    calls: dict[tuple[str, str], list[Span]] = {}
    for trace in traces:
        for span in trace.spans:
            parent = trace.by_id.get(span.parent)
            if parent is not None and parent.service != span.service:
                calls.setdefault((parent.service, span.service), []).append(span)
    edges = [_make_edge(caller, called, spans) for (caller, called), spans in calls.items()]
    return sorted(edges, key=lambda edge: (-edge.calls, edge.caller, edge.called))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed; `ordered` is not empty."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def _make_edge(caller: str, called: str, spans: Sequence[Span]) -> Edge:
    durations = sorted(span.duration for span in spans)
    failures = sum(span.failed for span in spans)
    return Edge(caller, called, len(spans), failures, quantile(durations, 0.5), quantile(durations, 0.95))
