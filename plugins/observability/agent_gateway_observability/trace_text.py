"""Traces as short text: what was slow, what failed, and who called whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import agent_gateway as ag

from .call_graph import quantile, service_graph
from .critical_path import critical_path, own_times
from .trace_model import Span, Trace
from .windows import show_moment, show_seconds

_SLOW = 8
_FAILED = 10
_EDGES = 20
_PATH = 12
_TREE = 40
_LONGEST_MESSAGE = 160


def show_traces(traces: Sequence[Trace], detailed: Sequence[Trace]) -> str:
    """One line for each trace, the slowest first, then what those that were read in full have to say."""
    durations = sorted(trace.duration for trace in traces)
    times = f"p50 {show_seconds(quantile(durations, 0.5))}, p95 {show_seconds(quantile(durations, 0.95))}"
    lines = [f"{_count(len(traces), 'trace')}, {times}:", *map(_summary, traces)]
    if len(detailed) < len(traces):
        lines.append(f"What follows is about the slowest {len(detailed)} of them.")
    lines += _portions("Slow spans (own time)", [portion for trace in detailed for portion in own_times(trace)])
    lines += _failures([(trace.id, span) for trace in detailed for span in trace.failed])
    if detailed:
        lines += _path(detailed[0])
    lines += _graph(detailed)
    return "\n".join(lines)


def show_trace(trace: Trace) -> str:
    """One trace in full: its spans as a tree, as far as there is room."""
    lines = [_summary(trace)]
    if trace.left_out:
        lines.append(f"Only its first {len(trace.spans)} spans are looked at, {trace.left_out} are left out.")
    lines += _path(trace)
    lines += _failures([("", span) for span in trace.failed])
    lines += _portions("Slow spans (own time)", own_times(trace))
    lines += _graph([trace])
    tree = list(_tree(trace))
    lines += ["Spans:", *tree[:_TREE]]
    if len(tree) > _TREE:
        lines.append(f"{len(tree) - _TREE} more spans are cut off.")
    return "\n".join(lines)


def _summary(trace: Trace) -> str:
    title = one_line(trace.root.title) if trace.root else "(no root)"
    head = f"{trace.id} {show_moment(trace.start)} {show_seconds(trace.duration)} {title}"
    if not trace.whole:
        return head
    failed = f", {len(trace.failed)} failed" if trace.failed else ""
    return f"{head} ({_count(len(trace.spans) + trace.left_out, 'span')}{failed})"


def _portions(title: str, portions: Sequence[tuple[Span, float]]) -> list[str]:
    slowest = sorted((each for each in portions if each[1] > 0), key=lambda portion: -portion[1])
    rows = [f"  {show_seconds(seconds)} {one_line(span.title)}" for span, seconds in slowest[:_SLOW]]
    more = [f"  {len(slowest) - _SLOW} faster ones are cut off."] if len(slowest) > _SLOW else []
    return [f"{title}:", *rows, *more] if rows else []


def _failures(found: Sequence[tuple[str, Span]]) -> list[str]:
    if not found:
        return []
    rows = [
        f"  {one_line(span.title)} after {show_seconds(span.duration)}"
        + (f": {one_line(span.message)}" if span.message else "")
        + (f" (trace {trace})" if trace else "")
        for trace, span in found[:_FAILED]
    ]
    more = [f"  {len(found) - _FAILED} more are cut off."] if len(found) > _FAILED else []
    return [f"{_count(len(found), 'failed span')}:", *rows, *more]


def _path(trace: Trace) -> list[str]:
    portions = critical_path(trace)
    total = sum(portion.seconds for portion in portions)
    if not portions or trace.root is None:
        return []
    kept = {portion.span.id for portion in sorted(portions, key=lambda each: -each.seconds)[:_PATH]}
    rows = [
        f"  {show_seconds(seconds)} ({seconds / total * 100:.0f} %) {one_line(span.title)}"
        for span, seconds in portions
        if span.id in kept
    ]
    more = [f"  {len(portions) - len(rows)} shorter ones are cut off."] if len(portions) > len(rows) else []
    return [f"Critical path of {trace.id}, {show_seconds(total)}:", *rows, *more]


def _graph(traces: Sequence[Trace]) -> list[str]:
    edges = service_graph(traces)
    rows = [
        f"  {one_line(edge.caller)} -> {one_line(edge.called)}: {_count(edge.calls, 'call')}, "
        f"{edge.error_share * 100:.0f} % failed, p50 {show_seconds(edge.p50)}, p95 {show_seconds(edge.p95)}"
        for edge in edges[:_EDGES]
    ]
    more = [f"  {len(edges) - _EDGES} more are cut off."] if len(edges) > _EDGES else []
    return ["Calls between services:", *rows, *more] if rows else []


def _tree(trace: Trace) -> Iterator[str]:
    waiting = [(0, span) for span in reversed(trace.roots)]
    while waiting:
        depth, span = waiting.pop()
        offset = show_seconds(max(span.start - trace.start, 0.0))
        failed = " FAILED" if span.failed else ""
        yield f"{'  ' * min(depth + 1, 10)}+{offset} {show_seconds(span.duration)} {one_line(span.title)}{failed}"
        waiting += [(depth + 1, child) for child in reversed(trace.children.get(span.id, ()))]


def one_line(text: str) -> str:
    """What somebody wrote into a span, on one line and not too long."""
    return ag.excerpt(text, _LONGEST_MESSAGE)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
