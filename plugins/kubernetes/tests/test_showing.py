"""Objects as they are shown: without secrets, without bookkeeping, and as tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from plugins.kubernetes.agent_gateway_kubernetes.ages import age, amount, parse_span, span
from plugins.kubernetes.agent_gateway_kubernetes.pruning import HIDDEN, LAST_APPLIED, prune
from plugins.kubernetes.agent_gateway_kubernetes.tables import TableStyle, align, show_table
from plugins.kubernetes.agent_gateway_kubernetes.yaml_text import diff_objects, show_yaml

import agent_gateway as ag


def pod(**env: str) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {
            "name": "web",
            "managedFields": [{"manager": "x"}],
            "annotations": {LAST_APPLIED: '{"password": "hunter2"}'},
        },
        "spec": {"containers": [{"name": "web", "env": [{"name": key, "value": value} for key, value in env.items()]}]},
    }


@pytest.mark.parametrize(
    "name",
    ["DB_PASSWORD", "API_KEY", "apiKey", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "PGPASS_PWD", "AUTH"],
)
def test_a_variable_with_a_secret_name_has_no_value(name: str) -> None:
    text = show_yaml(pod(**{name: "hunter2"}))
    assert "hunter2" not in text
    assert HIDDEN in text


@pytest.mark.parametrize("name", ["LOG_LEVEL", "REPLICAS", "AUTHOR", "HOST", "COMPASS", "KEYBOARD"])
def test_other_variables_keep_theirs(name: str) -> None:
    assert "plain-value" in show_yaml(pod(**{name: "plain-value"}))


def test_bookkeeping_is_left_out() -> None:
    assert prune(pod())["metadata"] == {"name": "web"}


def test_a_configmap_shows_text_and_no_bytes() -> None:
    data = {"a": "1\n2\n", "password": "x"}
    config = {"kind": "ConfigMap", "metadata": {}, "data": data, "binaryData": {"b": "AAAA"}}
    shown = show_yaml(config)
    assert "a: |\n    1\n    2" in shown
    assert "AAAA" not in shown
    assert "password: '[redacted]'" in shown


def test_a_secret_is_not_shown_whatever_way_it_came() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {}, "data": {"a": "eA=="}}
    for value in (secret, {"kind": "List", "metadata": {}, "items": [secret]}):
        with pytest.raises(ag.Forbidden):
            prune(value)


def test_a_difference_shows_what_somebody_decided_and_nothing_else() -> None:
    old = {**pod(MODE="a"), "status": {"x": 1}}
    new = {**pod(MODE="b"), "status": {"x": 2}}
    new["metadata"]["generation"] = 7
    changed = [line for line in diff_objects("p", old, new).splitlines() if line[0] in "+-"]
    assert changed == ["--- a/p", "+++ b/p", "-      value: a", "+      value: b"]
    assert diff_objects("p", old, {**old, "status": {}}) == ""


def test_a_changed_value_that_is_hidden_is_told() -> None:
    text = diff_objects("p", pod(PASSWORD="old-one"), pod(PASSWORD="new-one"))
    assert "a value that is not shown changes" in text
    assert "one" not in text.replace("one of", "")


def test_a_table_has_the_columns_that_are_asked_for() -> None:
    table = {
        "columnDefinitions": [
            {"name": "Name", "format": "name", "priority": 0},
            {"name": "Ready", "priority": 0},
            {"name": "IP", "priority": 1},
        ],
        "rows": [
            {"cells": ["web", True, None], "object": {"metadata": {"namespace": "apps", "labels": {"a/tier": "x"}}}}
        ],
    }
    assert show_table(table, TableStyle()) == "NAME   READY\nweb    True"
    style = TableStyle(wide=True, namespaces=True, labels=("a/tier",), show_labels=True, kind="pod")
    assert show_table(table, style).split() == (
        "NAMESPACE NAME READY IP TIER LABELS apps pod/web True x a/tier=x".split()
    )
    assert show_table(table, TableStyle(headers=False)) == "web   True"
    assert show_table({"columnDefinitions": [], "rows": []}, TableStyle()) == ""
    assert align([]) == ""


def test_times_and_amounts() -> None:
    now = datetime(2026, 1, 2, 12, tzinfo=UTC)
    assert age("2026-01-02T11:59:15Z", now) == "45s"
    assert age("2026-01-02T08:30:00Z", now) == "3h30m"
    assert age("2025-12-20T12:00:00Z", now) == "13d"
    assert age(None) == age("x") == "<unknown>"
    assert (span(0), span(86_400 + 3600), span(3 * 86_400)) == ("0s", "1d1h", "3d")
    assert (parse_span("1h30m"), parse_span("90s"), parse_span(""), parse_span("soon")) == (5400, 90, None, None)
    assert (amount("250m"), amount("64Mi"), amount("2"), amount("?")) == (0.25, 64 * 2**20, 2.0, 0.0)
