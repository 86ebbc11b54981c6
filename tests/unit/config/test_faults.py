from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent_gateway.config import Settings, load_configuration, read_configuration, suggest
from agent_gateway.errors import ConfigurationError, Fault


def written(folder: Path, settings: str = "", personas: str = "", **environ: str) -> dict[str, Fault]:
    (folder / "agent-gateway.yaml").write_text(settings)
    (folder / "personas.yaml").write_text(personas)
    configuration = read_configuration(folder=folder, environ=environ)
    return {f"{fault.file}:{fault.key}": fault for fault in configuration.faults}


def test_every_fault_of_every_source_is_listed_at_once(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AGENT_GATEWAY__RETRIEVE__LIMIT=21\nUNRELATED=1\n")
    settings = "server: {port: 70000, hots: x, keepalive_seconds: 0}\nroute: {thresholds: {medium: 11}}\nlgo: {}\n"
    personas = "only_listd: true\npersonas:\n  bruno: {port: 0, tiers: [huge]}\n  Bad_Id: {}\n"
    found = written(tmp_path, settings, personas, AGENT_GATEWAY__LOG__LEVEL="loud")
    assert set(found) == {
        ".env:AGENT_GATEWAY__RETRIEVE__LIMIT",
        "environment:AGENT_GATEWAY__LOG__LEVEL",
        "agent-gateway.yaml:server.port",
        "agent-gateway.yaml:server.hots",
        "agent-gateway.yaml:server.keepalive_seconds",
        "agent-gateway.yaml:route.thresholds",
        "agent-gateway.yaml:lgo",
        "personas.yaml:only_listd",
        "personas.yaml:personas.bruno.port",
        "personas.yaml:personas.bruno.tiers.0",
        "personas.yaml:personas.Bad_Id",
    }
    assert found["agent-gateway.yaml:server.port"].value == "70000"
    assert found["agent-gateway.yaml:lgo"].hint == "did you mean 'log'?"
    with pytest.raises(ConfigurationError) as raised:
        load_configuration(folder=tmp_path, environ={"AGENT_GATEWAY__LOG__LEVEL": "loud"})
    assert {f"{fault.file}:{fault.key}" for fault in raised.value.faults} == set(found)


def test_what_is_right_survives_beside_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "agent-gateway.yaml").write_text("server: {port: no, host: '::1'}\n")
    (tmp_path / "personas.yaml").write_text("personas:\n  a: {port: x, title: A}\n  b: {port: 5}\n")
    configuration = read_configuration(folder=tmp_path, environ={})
    assert (configuration.settings.server.host, configuration.settings.server.port) == ("::1", 8080)
    assert [(name, entry.port, entry.title) for name, entry in configuration.entries.items()] == [
        ("a", None, "A"),
        ("b", 5, None),
    ]


@pytest.mark.parametrize(
    ("settings", "key", "detail"),
    [
        ("server: {port: yes}", "server.port", "must be a number, not true or false"),
        ("server: {port: eighty}", "server.port", "must be a whole number"),
        ("server: 5", "server", "must be a mapping"),
        ("server: {cors_origins: [a.example]}", "server.cors_origins.0", "must be like https://example.org"),
        ("data_dir: ''", "data_dir", "must be the name of a file or folder"),
        ("route: {weights: {words: .nan}}", "route.weights.words", "must be a finite number"),
        ("plugins: {weather: 3}", "plugins.weather", "must be a mapping"),
        ("1: 2", "1", "is not a known key"),
    ],
)
def test_a_wrong_value_is_named_with_its_key(tmp_path: Path, settings: str, key: str, detail: str) -> None:
    ((name, fault),) = written(tmp_path, settings).items()
    assert name == f"agent-gateway.yaml:{key}"
    assert fault.detail.startswith(detail)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (b"server: {port", "is not valid YAML at line 1"),
        (b"- a\n- b\n", "must be a mapping"),
        (b"server: \xff", "is not UTF-8 text"),
        (b"a: " + b"[" * 100_000, "cannot be read"),
        (b"log: {level: *password1}", "is not valid YAML"),
        (b"server: {port: 1}\nserver: {port: 2}", "is written twice, again at line 2"),
        (b"a: 2026-13-45", "cannot be read"),
        (b"a: &x [*x]", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_parsed_is_one_fault_without_its_text(tmp_path: Path, text: bytes, detail: str) -> None:
    (tmp_path / "agent-gateway.yaml").write_bytes(text)
    (fault,) = read_configuration(folder=tmp_path, environ={}).faults
    assert fault.file == "agent-gateway.yaml"
    assert fault.detail.startswith(detail)
    assert "password1" not in str(fault)


@pytest.mark.parametrize("key", ["api_key", "TOKEN", "client_secret", "dbPassword"])
def test_secrets_are_never_shown(tmp_path: Path, key: str) -> None:
    found = written(tmp_path, f"server: {{{key}: hunter2, port: hunter2}}")
    assert "hunter2" not in " ".join(map(str, found.values()))
    assert found[f"agent-gateway.yaml:server.{key}"].value == "(hidden)"


def test_a_value_read_from_a_file_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "port").write_text("hunter2")
    (fault,) = written(tmp_path, AGENT_GATEWAY__SERVER__PORT_FILE="port").values()
    assert (fault.key, fault.value) == ("AGENT_GATEWAY__SERVER__PORT_FILE", "(hidden)")


@pytest.mark.parametrize(
    ("entry", "key", "detail"),
    [
        ("{prot: 1}", "prot", "is not a known key"),
        ("{port: 65536}", "port", "must be less than or equal to 65535"),
        ("{title: ' '}", "title", "must not be empty"),
        ("{intents: query}", "intents", "must be a list"),
        ("{documents: {x: Bad Name}}", "documents.x", "must be lowercase letters"),
        ("{documents: {x: agent-interactions}}", "documents.x", "'agent-interactions' holds"),
        ("{collections: ['../x']}", "collections.0", "must be lowercase letters"),
        ("{policy: {suggest_onyl: true}}", "policy", "'suggest_onyl' is not a known key; did you mean 'suggest_only'?"),
        ("{policy: {suggest_only: maybe}}", "policy", "Expected `bool`"),
        ("{policy: 1}", "policy", "must be a mapping"),
        ("text", "", "must be a mapping"),
    ],
)
def test_a_wrong_entry_of_a_persona_is_named(tmp_path: Path, entry: str, key: str, detail: str) -> None:
    ((name, fault),) = written(tmp_path, "", f"personas: {{bruno: {entry}}}").items()
    assert name == f"personas.yaml:personas.bruno{'.' if key else ''}{key}"
    assert fault.detail.startswith(detail)


def test_a_hint_names_the_nearest_word_else_all(tmp_path: Path) -> None:
    assert suggest("prot", ("port", "host")) == "did you mean 'port'?"
    assert suggest("zzz", ("port", "host")) == "known are: host, port"
    assert suggest("zzz", ()) == ""


def test_bare_settings_read_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SERVER", "{}")
    monkeypatch.setenv("AGENT_GATEWAY__SERVER__PORT", "9")
    assert Settings().server.port == 8080


def test_reading_the_configuration_imports_nothing_heavy() -> None:
    code = (
        "import sys, agent_gateway.config, agent_gateway as ag\n"
        "heavy = {'numpy', 'torch', 'lancedb', 'litestar', 'langgraph', 'sklearn', 'structlog', 'typer', 'uvicorn'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
