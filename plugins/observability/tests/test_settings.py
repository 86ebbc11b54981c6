"""Settings of the servers, their secrets, and which server a call means."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from plugins.observability.agent_gateway_observability.named_queries import DEFAULT_QUERIES
from plugins.observability.agent_gateway_observability.servers import choose_server
from plugins.observability.agent_gateway_observability.settings import (
    Limits,
    ObservabilitySettings,
    ServerSettings,
    own_settings,
    read_secret,
)
from pydantic import ValidationError

import agent_gateway as ag

PAGE = (Path(__file__).parents[3] / "docs" / "observability.md").read_text(encoding="utf-8")
URL = "http://prometheus.example.org:9090"


def settings(**given: Any) -> ObservabilitySettings:
    return ObservabilitySettings.model_validate(given)


@pytest.mark.parametrize("given", [URL, {"default": URL}, {"default": {"url": URL}}, {"default": {"url": URL + "/"}}])
def test_an_address_may_be_written_alone(given: Any) -> None:
    assert settings(prometheus=given).prometheus["default"].url == URL


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ({"url": "prometheus:9090"}, "must begin with"),
        ({"url": "http://alice:hunter2@x"}, "must hold no user"),
        ({"url": "http://x/?token=hunter2"}, "must hold no query"),
        ({"url": URL, "headers": {"Authorization": "Bearer hunter2"}}, "must not hold Authorization"),
        ({"url": URL, "headers": {"a b": "c"}}, "is no header"),
        ({"url": URL, "headers": {"x": "a\r\nb: c"}}, "is no header"),
        ({"url": URL, "token_env": "A", "token_file": "/b"}, "more than one credential"),
        ({"url": URL, "token_env": "A", "username": "b", "password_env": "C"}, "more than one credential"),
        ({"url": URL, "username": "alice"}, "username needs a password"),
        ({"url": URL, "password_env": "A"}, "a password a username"),
        ({"url": URL, "token": "hunter2"}, "Extra inputs"),
    ],
)
def test_a_server_that_cannot_work_is_refused_and_no_secret_is_told(server: Any, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason) as caught:
        settings(prometheus={"default": server})
    assert all("hunter2" not in each["msg"] for each in caught.value.errors())


def test_an_mcp_server_that_is_empty_is_none() -> None:
    assert settings(mcp="").mcp is None
    assert settings(mcp="http://127.0.0.1:8080/mcp").mcp == ServerSettings(url="http://127.0.0.1:8080/mcp")


def test_a_secret_is_read_when_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    server = ServerSettings(url=URL, token_file=file)
    with pytest.raises(ag.Unavailable, match="cannot be read"):
        server.token()
    file.write_text("one\n", encoding="utf-8")
    assert server.token() == "one"
    file.write_text("two\n", encoding="utf-8")
    assert server.token() == "two"
    monkeypatch.setenv("A_TOKEN", "three")
    assert ServerSettings(url=URL, token_env="A_TOKEN").token() == "three"
    assert ServerSettings(url=URL).token() == ServerSettings(url=URL).password() == ""


@pytest.mark.parametrize("secret", ["", "  ", "hunter2\nmore", "hünter2"])
def test_a_secret_that_cannot_be_sent_is_not_told(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", secret)
    with pytest.raises(ag.Unavailable, match="A_TOKEN holds") as caught:
        read_secret("A_TOKEN", None)
    assert "nter2" not in str(caught.value)


def test_the_cluster_decides_which_server_is_asked() -> None:
    both = settings(prometheus={"air": URL, "studio": "http://other"}, tempo="http://tempo", jaeger={"air": "http://j"})
    assert choose_server(both, ("prometheus",), "studio").settings.url == "http://other"
    assert choose_server(both, ("tempo", "jaeger"), "").kind == "tempo"
    assert choose_server(both, ("tempo", "jaeger"), "air").told == "Jaeger of 'air'"
    assert choose_server(settings(prometheus={"air": URL}), ("prometheus",), "").cluster == "air"


@pytest.mark.parametrize(
    ("given", "cluster", "said"),
    [
        ({}, "", "set plugins.observability.prometheus"),
        ({"prometheus": URL}, "mars", "there are: default"),
        ({"prometheus": {"air": URL, "studio": URL}}, "", "say which cluster's Prometheus: air, studio"),
    ],
)
def test_a_call_that_means_no_server_is_told_what_there_is(given: Any, cluster: str, said: str) -> None:
    with pytest.raises(ag.GatewayError) as caught:
        choose_server(settings(**given), ("prometheus",), cluster)
    assert said in str(caught.value)


def test_without_settings_there_are_no_servers() -> None:
    assert own_settings({}) == ObservabilitySettings()
    named = settings(loki=URL)
    assert own_settings({"whatever_it_is_called": named}) is named


def test_the_examples_of_the_page_are_settings() -> None:
    examples = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(examples) >= 4
    for each in examples:
        assert settings(**yaml.safe_load(each)["plugins"]["observability"]) != ObservabilitySettings()


def test_the_page_lists_every_limit_with_its_default_and_every_named_query() -> None:
    rows = {name: float(default) for name, default in re.findall(r"^\| `(\w+)` \| `(\d+)` \|", PAGE, re.MULTILINE)}
    assert rows == Limits().model_dump()
    assert [name for name in DEFAULT_QUERIES if f"`{name}`" not in PAGE] == []
