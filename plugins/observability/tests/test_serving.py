"""What the command and the hooks do before anything is asked of a server."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from plugins.observability.agent_gateway_observability.checks import checks
from plugins.observability.agent_gateway_observability.serving import listen, read_settings
from plugins.observability.agent_gateway_observability.settings import ObservabilitySettings
from plugins.observability.agent_gateway_observability.tools import query_tools

import agent_gateway as ag

NO_CLUSTERS: Any = None


def test_a_settings_file_gives_the_section_of_the_plugin(tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.write_text("plugins: {observability: {prometheus: http://x}, other: {a: 1}}\n", encoding="utf-8")
    assert read_settings(file).prometheus["default"].url == "http://x"
    file.write_text("models: {}\n", encoding="utf-8")
    assert read_settings(file) == ObservabilitySettings()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("plugins: {observability: {prometheus: {air: {url: http://x, token: hunter2}}}}", "prometheus.air.token"),
        ("plugins: {observability: {limits: {points: 1}}}", "limits.points"),
        ("plugins: {observability: hunter2}", "plugins.observability"),
        ("plugins: {", "this is no YAML"),
    ],
)
def test_faults_of_a_settings_file_are_told_with_their_place_and_no_value(
    written: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "other.yaml"
    file.write_text(written, encoding="utf-8")
    with pytest.raises(ag.ConfigurationError) as caught:
        read_settings(file)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ag.ConfigurationError, match=r"nothing\.yaml: .* cannot be read"):
        read_settings(tmp_path / "nothing.yaml")


def test_without_a_token_only_this_machine_is_served() -> None:
    with pytest.raises(ag.Unavailable, match="no token is asked for"):
        listen("0.0.0.0", 0, open_to_all=True)
    for host, open_to_all in (("127.0.0.1", True), ("0.0.0.0", False)):
        with listen(host, 0, open_to_all=open_to_all) as listening:
            assert listening.getsockname()[1] > 0


def test_a_port_that_is_taken_is_said_to_be_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ag.Unavailable, match=f"127.0.0.1 port {port} cannot be listened on"):
            listen("127.0.0.1", port, open_to_all=True)
    with pytest.raises(ag.Unavailable, match="cannot be listened on"):
        listen("nowhere.invalid", 0, open_to_all=True)


async def test_each_server_has_a_check_and_none_is_no_fault() -> None:
    here = "http://127.0.0.1:1"
    settings = ObservabilitySettings.model_validate(
        {"prometheus": {"air": here, "studio": here}, "loki": here, "tempo": here, "jaeger": here, "mcp": here}
    )
    found = checks(settings)
    assert [each.name for each in found] == [
        "prometheus air",
        "prometheus studio",
        "loki default",
        "tempo default",
        "jaeger default",
        "observability mcp",
    ]
    results = [await each.run(NO_CLUSTERS) for each in found]
    assert [each.ok for each in results] == [False] * 6
    assert results[0].detail == "Prometheus of 'air' cannot be reached: nothing answers at its address"
    (none,) = checks(ObservabilitySettings())
    told = await none.run(NO_CLUSTERS)
    assert told.ok
    assert "plugins.observability.prometheus" in told.hint


@pytest.mark.parametrize(
    ("name", "arguments", "setting"),
    [
        ("query_prometheus", {"query": "up"}, "plugins.observability.prometheus"),
        ("query_loki", {"query": '{app="a"}'}, "plugins.observability.loki"),
        ("get_traces", {}, "plugins.observability.tempo or plugins.observability.jaeger"),
        ("get_traces", {"trace_id": "abc"}, "plugins.observability.tempo or plugins.observability.jaeger"),
    ],
)
async def test_a_tool_without_a_server_names_the_setting(name: str, arguments: dict[str, Any], setting: str) -> None:
    tools = {each.name: each for each in query_tools(ObservabilitySettings())}
    with pytest.raises(ag.NotFound, match=setting):
        await tools[name].run(**arguments)


def test_the_tools_only_read() -> None:
    for each in query_tools(ObservabilitySettings()):
        assert each.effect == "read"
        assert each.recognize is not None
        assert each.judge_call({}).decision == "allow"
