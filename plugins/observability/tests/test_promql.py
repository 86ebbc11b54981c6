"""PromQL: what is understood, what is wrong and where, and what is too expensive."""

from __future__ import annotations

import pytest
from plugins.observability.agent_gateway_observability.languages import is_logql, is_promql
from plugins.observability.agent_gateway_observability.named_queries import DEFAULT_QUERIES, fill_query
from plugins.observability.agent_gateway_observability.promql import check_promql, parse_promql, sorts_itself
from plugins.observability.agent_gateway_observability.settings import Limits

import agent_gateway as ag

LIMITS = Limits()


def fault_of(query: str) -> str:
    with pytest.raises(ag.InvalidInput) as caught:
        check_promql(query, LIMITS)
    return str(caught.value)


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("rate(up[5m)", "character 8, `[5m)`: this `[` is closed by `)`"),
        ("sum(rate(up[5m])", "character 4, `(rate(up[5m])`: this `(` is not closed"),
        ("up)", "character 3, `)`: this `)` closes nothing"),
        ('up{job="api}', 'character 8, `"api}`: this string is not closed'),
        ("rate(up)", "write a range behind the selector, like [5m]"),
        ("nosuch(up)", "`nosuch(up)`"),
        ("up{job=api}", "character 8, `api}`"),
        ("sum by job (up)", "character 5"),
        ("up +", "character 4, `+`"),
        ("", "is empty"),
        ("u" * 2001, "at most 2000"),
        ("+".join(["up"] * 100), "more than 80 operators"),
    ],
)
def test_a_wrong_query_is_pointed_at(query: str, place: str) -> None:
    assert place in fault_of(query)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("{__name__!=''}", "selects every series"),
        ('{job=~".+"}', "selects every series"),
        ('count({__name__=~".*"})', "at least one non-empty matcher"),
        ('{job!="api"}', "at least one non-empty matcher"),
        ("rate(up[30d])", "reads [30d]"),
        ("max_over_time(rate(up[5m])[3d:1m])", "subquery covers 3d"),
        ("max_over_time(rate(up[5m])[1d:1s])", "more than 500 points"),
        ("max_over_time(max_over_time(up[1h:1m])[1h:1m])", "more than one subquery"),
    ],
)
def test_what_would_read_too_much_is_refused(query: str, reason: str) -> None:
    assert reason in fault_of(query)


@pytest.mark.parametrize(
    "query",
    [
        "up",
        '{job="api"}',
        '{__name__=~"node_.+"}',
        "1 + 1",
        "max_over_time(rate(up[5m])[1h:5m])",
        'sum by (job) (rate(http_requests_total{code=~"5.."}[5m])) > 0.1',
        "up # a comment with a )",
    ],
)
def test_ordinary_queries_pass(query: str) -> None:
    check_promql(query, LIMITS)


@pytest.mark.parametrize("name", [name for name in DEFAULT_QUERIES if not name.startswith("log_")])
def test_every_named_query_of_metrics_passes(name: str) -> None:
    filled = fill_query(DEFAULT_QUERIES[name], service="checkout", window="5m", quantile="0.95", namespace="web")
    check_promql(filled, LIMITS)
    assert is_promql(filled)


@pytest.mark.parametrize(
    ("text", "promql", "logql"),
    [
        ("node_load1", True, False),
        ("up == 0", True, False),
        ("rate(http_requests_total[5m])", True, False),
        ('{app="checkout"} |= "timeout"', False, True),
        ('sum(rate({app="checkout"}[5m]))', False, True),
        ('{app="checkout"}', False, True),
        ("checkout", False, False),
        ("why is checkout slow?", False, False),
        ("scale web to 3", False, False),
        ("42", False, False),
    ],
)
def test_languages_are_told_apart(text: str, promql: bool, logql: bool) -> None:
    assert (is_promql(text), is_logql(text)) == (promql, logql)


def test_a_query_that_orders_its_result_keeps_its_order() -> None:
    ordered = {query: sorts_itself(parse_promql(query)) for query in ("sort(up)", "topk(3, up)", "up", "sum(up)")}
    assert ordered == {"sort(up)": True, "topk(3, up)": True, "up": False, "sum(up)": False}
