from __future__ import annotations

from pathlib import Path

import pytest

from agent_gateway.config import Configuration, load_configuration
from agent_gateway.errors import ConfigurationError, Fault


def load(folder: Path, **environ: str) -> Configuration:
    return load_configuration(folder=folder, environ=environ)


def faults(folder: Path, **environ: str) -> tuple[Fault, ...]:
    with pytest.raises(ConfigurationError) as raised:
        load(folder, **environ)
    return raised.value.faults


def test_nothing_configured_gives_the_defaults_below_the_working_folder(tmp_path: Path) -> None:
    configuration = load(tmp_path)
    settings = configuration.settings
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8080)
    assert settings.data_dir == tmp_path / "data"
    assert settings.plugins_dir == tmp_path / "plugins"
    assert configuration.personas_file == tmp_path / "personas.yaml"
    assert (dict(configuration.entries), configuration.only_listed, configuration.plugin_names) == ({}, False, None)


def test_the_strongest_source_wins(tmp_path: Path) -> None:
    secret = tmp_path / "port.txt"
    variable, file_variable = "AGENT_GATEWAY__SERVER__PORT", "AGENT_GATEWAY__SERVER__PORT_FILE"

    (tmp_path / "agent-gateway.yaml").write_text("server: {port: 1001, host: 0.0.0.0}\n")
    assert load(tmp_path).settings.server.port == 1001
    secret.write_text(" 1002 \n")
    assert load(tmp_path, **{file_variable: str(secret)}).settings.server.port == 1002
    (tmp_path / ".env").write_text(f"{variable}=1003\n")
    assert load(tmp_path, **{file_variable: str(secret)}).settings.server.port == 1003
    environ = {variable: "1004", file_variable: str(secret)}
    assert load(tmp_path, **environ).settings.server.port == 1004
    flags = {"server": {"port": 1005}}
    server = load_configuration(flags, folder=tmp_path, environ=environ).settings.server
    assert (server.port, server.host) == (1005, "0.0.0.0")  # weaker sources still fill in the rest


def test_paths_start_where_they_were_written(tmp_path: Path) -> None:
    elsewhere = tmp_path / "etc"
    elsewhere.mkdir()
    (elsewhere / "gateway.yaml").write_text("data_dir: state\n")
    given = elsewhere / "gateway.yaml"
    assert load_configuration(config_file=given, folder=tmp_path, environ={}).settings.data_dir == elsewhere / "state"
    environ = {"AGENT_GATEWAY__DATA_DIR": "other"}
    assert (
        load_configuration(config_file=given, folder=tmp_path, environ=environ).settings.data_dir == tmp_path / "other"
    )
    configuration = load_configuration({"data_dir": "flag"}, config_file=given, folder=tmp_path, environ=environ)
    assert configuration.settings.data_dir == tmp_path / "flag"


def test_lists_and_plugin_settings_come_from_the_environment(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cr3t\n")
    settings = load(
        tmp_path,
        AGENT_GATEWAY__SERVER__CORS_ORIGINS="https://a.example, https://b.example",
        AGENT_GATEWAY__PLUGINS__WEATHER__CITY="Porto",
        AGENT_GATEWAY__PLUGINS__WEATHER__TOKEN_FILE=str(token),
    ).settings
    assert settings.server.cors_origins == ("https://a.example", "https://b.example")
    assert settings.plugins == {"weather": {"city": "Porto", "token": "s3cr3t"}}
    assert "s3cr3t" not in repr(settings)


def test_a_list_may_be_json_and_broken_json_is_a_fault(tmp_path: Path) -> None:
    variable = "AGENT_GATEWAY__SERVER__CORS_ORIGINS"
    assert load(tmp_path, **{variable: '["*"]'}).settings.server.cors_origins == ("*",)
    (fault,) = faults(tmp_path, **{variable: '["*"'})
    assert (fault.key, fault.detail) == (variable, "is not a JSON list")


def test_personas_file_is_a_setting_and_no_secret_file(tmp_path: Path) -> None:
    (tmp_path / "team.yaml").write_text("only_listed: true\n")
    configuration = load(tmp_path, AGENT_GATEWAY__PERSONAS_FILE="team.yaml")
    assert configuration.only_listed
    assert configuration.personas_file == tmp_path / "team.yaml"


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("AGENT_GATEWAY__SERVR__PORT", "did you mean 'server'?"),
        ("AGENT_GATEWAY__SERVER__PROT", "did you mean 'port'?"),
        ("AGENT_GATEWAY_SERVER__PORT", "did you mean 'AGENT_GATEWAY__SERVER__PORT'?"),
        ("AGENT_GATEWAY_DATA_DIR", "did you mean 'AGENT_GATEWAY__DATA_DIR'?"),
    ],
)
def test_a_misspelt_variable_is_a_fault_with_a_hint(tmp_path: Path, variable: str, hint: str) -> None:
    (fault,) = faults(tmp_path, **{variable: "1"})
    assert (fault.file, fault.key, fault.hint) == ("environment", variable, hint)


def test_variables_that_kubernetes_sets_for_a_service_are_left_alone(tmp_path: Path) -> None:
    load(tmp_path, AGENT_GATEWAY_PORT="tcp://10.0.0.1:8080", AGENT_GATEWAY_SERVICE_HOST="10.0.0.1")


@pytest.mark.parametrize(("value", "names"), [("bruno, mary-kay", {"bruno", "mary_kay"}), ("", set()), (" , ", set())])
def test_the_restriction_of_plugins_is_read(tmp_path: Path, value: str, names: set[str]) -> None:
    assert load(tmp_path, AGENT_GATEWAY_PLUGINS=value).plugin_names == frozenset(names)


def test_what_was_asked_for_must_exist(tmp_path: Path) -> None:
    (tmp_path / "a-file").touch()
    environ = {
        "AGENT_GATEWAY__PERSONAS_FILE": "nobody.yaml",
        "AGENT_GATEWAY__PLUGINS_DIR": "a-file",
        "AGENT_GATEWAY__LOG__LEVEL_FILE": "nothing",
    }
    with pytest.raises(ConfigurationError) as raised:
        load_configuration(config_file=Path("missing.yaml"), folder=tmp_path, environ=environ)
    found = {(fault.key, fault.detail.split(":")[0]) for fault in raised.value.faults}
    assert found == {
        ("AGENT_GATEWAY__PERSONAS_FILE", "does not exist"),
        ("AGENT_GATEWAY__PLUGINS_DIR", "is not a folder"),
        ("AGENT_GATEWAY__LOG__LEVEL_FILE", "the file cannot be read"),
        ("(file)", "does not exist"),
    }


def test_a_section_without_lines_and_an_empty_file_are_fine(tmp_path: Path) -> None:
    (tmp_path / "agent-gateway.yaml").write_text("server:\n  # port: 1\n")
    (tmp_path / "personas.yaml").write_text("# nothing yet\n")
    assert load(tmp_path).settings.server.port == 8080


def test_settings_are_frozen(tmp_path: Path) -> None:
    settings = load(tmp_path).settings
    with pytest.raises(ValueError, match="frozen"):
        setattr(settings.server, "port", 1)  # noqa: B010 - the type checker knows it is frozen
    with pytest.raises(ValueError, match="frozen"):
        setattr(settings, "data_dir", tmp_path)  # noqa: B010 - the type checker knows it is frozen


def test_a_broken_line_of_dotenv_is_a_fault_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AGENT_GATEWAY__SERVER__PORT 9\nAGENT_GATEWAY__LOG__LEVEL=DEBUG\n'\n")
    found = faults(tmp_path)
    assert [(fault.file, fault.key) for fault in found] == [(".env", "line 1"), (".env", "line 3")]
    (tmp_path / ".env").write_text("export AGENT_GATEWAY__LOG__LEVEL='DEBUG' # loud\n")
    assert load(tmp_path).settings.log.level == "debug"
