from __future__ import annotations

from pathlib import Path

from tests.unit.cli.conftest import Cli
from tests.unit.plugins.folder import drop, persona

ECHO = persona("id='echo', port=30107, title='Echo', prompt='x'")


def test_a_right_configuration_fits_together(cli: Cli, home: Path) -> None:
    drop(home, echo=ECHO)
    done = cli("check")
    assert (done.code, done.out, done.err) == (0, "Everything fits together.\n", "")


def test_every_fault_is_shown_at_once(cli: Cli, home: Path) -> None:
    (home / "agent-gateway.yaml").write_text("server: {prot: 1, grace_seconds: -3}\n")
    (home / "personas.yaml").write_text("personas:\n  anna: {port: 99999}\n  bert: {port: 30100, titel: B}\n")
    drop(home, broken="raise RuntimeError('at import')")
    done = cli("check", "--json")
    assert done.code == 1
    keys = {(fault["file"], fault["key"]) for fault in done.json["faults"]}
    assert {
        ("agent-gateway.yaml", "server.prot"),
        ("agent-gateway.yaml", "server.grace_seconds"),
        ("personas.yaml", "personas.anna.port"),
        ("personas.yaml", "personas.bert.titel"),
    } <= keys
    assert done.json["ok"] is False
    assert [each["name"] for each in done.json["plugins"]] == ["broken"]


def test_a_fault_names_file_key_value_and_a_hint(cli: Cli, home: Path) -> None:
    (home / "agent-gateway.yaml").write_text("server: {prot: 1}\n")
    assert "agent-gateway.yaml: server.prot: is not a known key (is 1); did you mean 'port'?" in cli("check").out


def test_a_broken_plugin_alone_is_a_failure_too(cli: Cli, home: Path) -> None:
    drop(home, echo=ECHO, broken="raise RuntimeError('at import')")
    done = cli("check")
    assert done.code == 1
    assert "plugin broken is disabled: RuntimeError: at import" in done.out
    assert "echo" not in done.out


def test_who_is_not_served_is_noted(cli: Cli, home: Path) -> None:
    drop(home, echo=ECHO)
    (home / "personas.yaml").write_text("only_listed: true\n")
    done = cli("check")
    assert done.code == 0
    assert "note: the persona echo is not served: personas.yaml says only_listed" in done.out


def test_the_settings_file_may_be_named(cli: Cli, home: Path) -> None:
    (home / "other.yaml").write_text("nonsense: 1\n")
    assert cli("check").code == 0
    assert cli("check", "--config", "other.yaml").code == 1
