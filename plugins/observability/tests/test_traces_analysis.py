"""Where the time of a trace went, who called whom, and what is cut off: over spans alone."""

from __future__ import annotations

import pytest
from plugins.observability.agent_gateway_observability.call_graph import quantile, service_graph
from plugins.observability.agent_gateway_observability.critical_path import critical_path, own_times
from plugins.observability.agent_gateway_observability.trace_model import Span, Trace
from plugins.observability.agent_gateway_observability.trace_text import show_trace, show_traces


def span(
    number: str, parent: str, start: float, end: float, service: str = "a", *, failed: bool = False, message: str = ""
) -> Span:
    return Span(
        id=number,
        parent=parent,
        service=service,
        name=f"work {number}",
        start=1e9 + start,
        duration=end - start,
        failed=failed,
        message=message,
    )


def portions(*spans: Span) -> dict[str, float]:
    return {each.span.id: round(each.seconds, 6) for each in critical_path(Trace("t", spans, 100))}


def test_the_path_waits_for_the_child_that_ends_last() -> None:
    root, first, second = span("r", "", 0, 10), span("1", "r", 1, 9), span("2", "r", 2, 5)
    assert portions(root, first, second) == {"r": 2, "1": 8}


def test_children_one_after_the_other_are_all_on_the_path() -> None:
    assert portions(span("r", "", 0, 10), span("1", "r", 0, 4), span("2", "r", 4, 9)) == {"1": 4, "2": 5, "r": 1}


def test_a_path_goes_down_and_adds_up_to_the_root() -> None:
    spans = [
        span("r", "", 0, 10),
        span("1", "r", 1, 9),
        span("2", "1", 2, 8),
        span("3", "1", 2, 4),
        span("4", "2", 7, 8),
    ]
    found = portions(*spans)
    assert found == {"r": 2, "1": 2, "2": 5, "4": 1}
    assert sum(found.values()) == 10


def test_work_that_outlives_or_precedes_its_parent_counts_within_it_only() -> None:
    assert portions(span("r", "", 0, 10), span("1", "r", 8, 20)) == {"r": 8, "1": 2}
    assert portions(span("r", "", 0, 10), span("1", "r", -5, 3)) == {"r": 7, "1": 3}
    assert portions(span("r", "", 0, 10), span("1", "r", 12, 20)) == {"r": 10}


def test_spans_in_a_circle_end() -> None:
    assert portions(span("1", "2", 0, 5), span("2", "1", 0, 5)) == {}
    assert portions(span("1", "1", 0, 5)) == {"1": 5}
    assert show_trace(Trace("t", [span("1", "2", 0, 5), span("2", "1", 0, 5)], 9)).startswith("t 2001")
    assert show_trace(Trace("t", [], 9)).startswith("t ")


def test_own_time_leaves_out_what_children_did_at_the_same_time() -> None:
    trace = Trace("t", [span("r", "", 0, 10), span("1", "r", 1, 5), span("2", "r", 3, 7), span("3", "r", 9, 30)], 9)
    assert {each.span.id: each.seconds for each in own_times(trace)} == {"3": 21, "1": 4, "2": 4, "r": 3}


def test_a_call_is_a_child_in_another_service() -> None:
    calls = [span(str(number), "r", 0, number, "b", failed=number > 15) for number in range(1, 21)]
    trace = Trace("t", [span("r", "", 0, 30), *calls, span("x", "1", 0, 1, "b"), span("y", "gone", 0, 1, "c")], 99)
    (edge,) = service_graph([trace])
    assert edge[:4] == ("a", "b", 20, 5)
    assert (edge.error_share, edge.p50, edge.p95) == (0.25, 10, 19)
    (twice,) = service_graph([trace, trace])
    assert (twice.calls, twice.failures) == (40, 10)


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 2), (0.75, 3), (0.76, 4), (1.0, 4)])
def test_a_quantile_is_one_of_the_values(share: float, value: int) -> None:
    assert quantile([1, 2, 3, 4], share) == value


def test_spans_beyond_the_limit_are_counted() -> None:
    spans = [
        span("r", "", 0, 99),
        *(span(str(each), "r", each, each + 1, f"s{each}", failed=True) for each in range(60)),
    ]
    text = show_trace(Trace("t", spans, 55))
    assert "a: work r (61 spans, 54 failed)" in text
    assert "Only its first 55 spans are looked at, 6 are left out." in text
    assert "54 failed spans:" in text
    assert "  44 more are cut off." in text
    assert "  34 more are cut off." in text
    assert "  47 faster ones are cut off." in text
    assert "shorter ones are cut off." in text
    assert text.endswith("\n15 more spans are cut off.")
    assert len(text) < 8000


def test_the_slowest_traces_are_looked_at_and_it_is_said() -> None:
    whole = Trace("whole", [span("r", "", 0, 9)], 9)
    told = Trace("told", [span("r", "", 0, 5)], 1, whole=False)
    text = show_traces([whole, told], [whole])
    assert "a: work r (1 span)\ntold " in text
    assert "5s a: work r\nWhat follows is about the slowest 1 of them." in text
    assert show_traces([told], []).count("\n") == 2


def test_what_a_span_says_is_one_short_line() -> None:
    wordy = span("r", "", 0, 1, failed=True, message="no\nway\x1b[0m " + "x" * 500)
    text = show_trace(Trace("t", [wordy], 9))
    assert ": no way [0m xxx" in text
    assert max(map(len, text.splitlines())) < 300
