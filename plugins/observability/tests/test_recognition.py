"""Which messages are queries, and what they become."""

from __future__ import annotations

from typing import Any

import pytest
from plugins.observability.agent_gateway_observability.named_queries import DEFAULT_QUERIES, fill_query
from plugins.observability.agent_gateway_observability.recognition import QueryRecognizer
from plugins.observability.agent_gateway_observability.recognized_figures import EVERYBODY, METRICS
from plugins.observability.agent_gateway_observability.recognized_searches import read_duration

import agent_gateway as ag

OURS = QueryRecognizer({"error_rate": 'errors{svc="{service}"}[{window}]', "log_errors": '{svc="{service}"}'})
DEFAULT = QueryRecognizer()


def ask(text: str, rest: str | None = None, **fields: Any) -> ag.PlainRequest:
    return ag.PlainRequest(text=text, rest=text.lower() if rest is None else rest, category="query", **fields)


@pytest.mark.parametrize(
    "text",
    [
        'sum(rate(http_requests_total{job="api"}[5m]))',
        "node_load1",
        "up == 0",
        '`up{job="api"}`',
        "```promql\nnode_load1\n```",
    ],
)
def test_promql_is_run_as_it_is(text: str) -> None:
    found = DEFAULT.recognize_query_prometheus(ask(text))
    assert found is not None
    assert found.command
    assert found.arguments["query"] in text
    assert DEFAULT.recognize_query_loki(ask(text)) is None


@pytest.mark.parametrize("text", ['{app="api"}', '{app="api"} |= "timeout"', 'rate({app="api"} |= "x" [5m])'])
def test_logql_is_run_as_it_is(text: str) -> None:
    found = DEFAULT.recognize_query_loki(ask(text))
    assert found is not None
    assert (found.command, found.arguments) == (True, {"query": text})
    assert DEFAULT.recognize_query_prometheus(ask(text)) is None


@pytest.mark.parametrize(
    "text", ["pods", "up", "(hello)", "rate my idea", "x = y", "sum it up", "rate(this)", "user_service"]
)
def test_a_sentence_is_no_expression(text: str) -> None:
    found = DEFAULT.recognize_query_prometheus(ask(text))
    assert found is None or not found.command


def test_the_settings_say_what_is_asked() -> None:
    found = OURS.recognize_query_prometheus(ask("5xx rate of basket", seconds=1800, cluster="air"))
    assert found is not None
    assert found.arguments == {"query": 'errors{svc="basket"}[30m]', "cluster": "air"}
    others = OURS.recognize_query_prometheus(ask("request rate of basket"))
    assert others is not None
    assert others.arguments["query"] == fill_query(DEFAULT_QUERIES["request_rate"], service="basket", window="5m")


def test_a_namespace_narrows_the_query_or_keeps_it_from_being_run() -> None:
    found = DEFAULT.recognize_query_prometheus(ask("cpu usage of basket", namespace="shop"))
    assert found is not None
    assert 'namespace="shop"' in found.arguments["query"]
    assert found.confidence > 0.75
    unable = OURS.recognize_query_prometheus(ask("error rate of basket", namespace="shop"))
    assert unable is not None
    assert unable.confidence < 0.75


def test_a_service_must_be_named() -> None:
    found = DEFAULT.recognize_query_prometheus(ask("error rate"))
    assert found is not None
    assert found.missing


def test_what_is_searched_for_is_taken_as_written_and_cannot_leave_its_string() -> None:
    found = DEFAULT.recognize_query_loki(ask("search logs of basket for 'Time\"Out'"))
    assert found is None or '\\"' in found.arguments["query"]
    plain = DEFAULT.recognize_query_loki(ask('grep "TimeOut\\d" in logs of basket'))
    assert plain is not None
    assert plain.arguments == {"query": '{app="basket"} |= "TimeOut\\\\d"'}


def test_logs_without_loki_are_left_to_a_tool_that_reads_pods() -> None:
    said, unsaid = (
        DEFAULT.recognize_query_loki(ask("loki logs of basket")),
        DEFAULT.recognize_query_loki(ask("logs of basket")),
    )
    assert said is not None
    assert unsaid is not None
    assert unsaid.confidence <= said.confidence - 0.15


def test_traces_take_what_is_said_about_them() -> None:
    found = DEFAULT.recognize_get_traces(ask("traces with errors of basket slower than 1.5 seconds", seconds=3600))
    assert found is None or found.arguments["min_duration"] == "1.5s"
    slow = DEFAULT.recognize_get_traces(ask("failed traces of basket slower than 500 ms", seconds=1800))
    assert slow is not None
    assert slow.arguments == {"service": "basket", "min_duration": "500ms", "only_errors": True, "since": "30m"}


@pytest.mark.parametrize(
    ("words", "duration"), [("1 second", "1s"), ("500 milliseconds", "500ms"), ("a second", "1s"), ("2m", "2m")]
)
def test_a_duration_is_read(words: str, duration: str) -> None:
    assert read_duration(words) == duration


@pytest.mark.parametrize(
    "text",
    ["why is basket slow", "what is an error rate", "latency is bad", "the error rate of basket is 5%", "cpu prices",
     "traffic in berlin", "is it up", "which alerts should we have", "compare p95 latency of basket and cart"],
)  # fmt: skip
def test_what_is_not_in_the_phrases_is_not_recognized(text: str) -> None:
    for recognize in (DEFAULT.recognize_query_prometheus, DEFAULT.recognize_query_loki, DEFAULT.recognize_get_traces):
        assert recognize(ask(text)) is None


def test_every_query_that_is_asked_for_by_name_exists() -> None:
    assert METRICS.keys() | EVERYBODY.keys() <= DEFAULT_QUERIES.keys()
