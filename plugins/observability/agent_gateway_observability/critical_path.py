"""Where the time of a trace went: the work that, had it been faster, would have made the whole faster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .trace_model import Span, Trace


class Portion(NamedTuple):
    """Seconds that a span itself took."""

    span: Span
    seconds: float


def critical_path(trace: Trace) -> list[Portion]:
    """The spans on the critical path, in the order of their starts, with their own time on it.

    Seen from the end of the root: the child that ended last was waited for, before it the child that had ended last
    when it began, and so on; what is left is the span's own. The portions of a trace whose spans lie within each
    other add up to the root's duration.
    """
    if trace.root is None:
        return []
    own: dict[str, float] = {}
    waiting: list[tuple[Span, float, float]] = [(trace.root, trace.root.start, trace.root.end)]
    seen: set[str] = set()
    while waiting:
        span, begin, moment = waiting.pop()
        seen.add(span.id)
        for child in sorted(trace.children.get(span.id, ()), key=lambda each: each.end, reverse=True):
            if child.start >= moment or child.end <= begin or child.id in seen:
                continue
            end = min(child.end, moment)
            own[span.id] = own.get(span.id, 0.0) + moment - end
            moment = max(child.start, begin)
            waiting.append((child, moment, end))
        own[span.id] = own.get(span.id, 0.0) + max(moment - begin, 0.0)
    return [Portion(span, own[span.id]) for span in trace.spans if own.get(span.id, 0.0) > 0]


def own_times(trace: Trace) -> list[Portion]:
    """For each span the time in which none of its children worked, the longest first."""
    portions = [Portion(span, span.duration - _covered(span, trace.children.get(span.id, ()))) for span in trace.spans]
    return sorted(portions, key=lambda portion: -portion.seconds)


def _covered(span: Span, children: Sequence[Span]) -> float:
    """Seconds of a span in which at least one child worked."""
    covered, reached = 0.0, span.start
    for child in children:
        begin, end = max(child.start, reached), min(child.end, span.end)
        if end > begin:
            covered += end - begin
            reached = end
    return covered
