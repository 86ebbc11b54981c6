from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.cli.conftest import Cli
from tests.unit.plugins.folder import drop, hook
from typer.main import get_command

from agent_gateway.cli.app import build_app
from agent_gateway.cli.names import OWN_COMMANDS
from agent_gateway.cli.plugin_sources import may_have_commands

SHOUT = hook(
    "register_commands",
    """
    @app.command()
    def shout(text: str) -> None:
        "Say it louder."
        typer.echo(text.upper())

    @app.command()
    def fail() -> None:
        raise ag.NotFound("there is nothing", code="nothing_there", hint="bring something")
    """,
    arguments="app",
    before="import typer\n",
)
SILENT = hook("on_shutdown", "pass")


def test_no_plugin_may_take_a_name_of_ours() -> None:
    command = get_command(build_app(rich=False))
    assert set(getattr(command, "commands", ())) == set(OWN_COMMANDS)


def test_a_dropped_in_command_runs_and_is_listed(cli: Cli, home: Path) -> None:
    drop(home, loud=SHOUT)
    assert cli("shout", "hello").out == "HELLO\n"
    assert "shout" in cli("--help").out
    assert "Say it louder." in cli("shout", "--help").out
    (info,) = [each for each in cli("plugins", "--json").json["plugins"] if each["name"] == "loud"]
    assert info["registered"] == ["command shout", "command fail"]


def test_an_error_of_a_plugins_command_is_shown_like_ours(cli: Cli, home: Path) -> None:
    drop(home, loud=SHOUT)
    done = cli("fail")
    assert (done.code, done.err) == (1, "Error: there is nothing\nHint: bring something\n")


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (SHOUT.replace("def shout", "def ask"), "there is a command 'ask' already"),
        (hook("register_commands", "raise ValueError('no')", arguments="app"), "ValueError: no"),
        (SHOUT.replace("text: str", "text: 'str | bytes | int'"), "register_commands"),
    ],
    ids=["taken name", "raises", "impossible type"],
)
def test_a_plugin_with_wrong_commands_is_disabled_alone(cli: Cli, home: Path, source: str, error: str) -> None:
    drop(home, bad=source, loud=SHOUT)
    assert cli("shout", "x").code == 0
    infos = {each["name"]: each for each in cli("plugins", "--json").json["plugins"]}
    assert error in infos["bad"]["errors"][0]
    assert infos["loud"]["errors"] == []
    assert cli("check").code == 1


def test_of_two_plugins_with_one_command_the_first_keeps_it(cli: Cli, home: Path) -> None:
    drop(home, a=SHOUT, b=SHOUT.replace("text.upper()", "'b'"))
    assert cli("shout", "x").out == "X\n"
    infos = {each["name"]: each for each in cli("plugins", "--json").json["plugins"]}
    assert infos["b"]["errors"] == ["register_commands: there is a command 'fail' already"]


def test_plugins_are_only_loaded_when_one_names_the_hook(home: Path) -> None:
    drop(home, silent=SILENT)
    assert not may_have_commands()
    folder = home / "plugins" / "loud" / "agent_gateway_loud"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    assert not may_have_commands()
    (folder / "commands.py").write_text(SHOUT)
    assert may_have_commands()


@pytest.mark.parametrize("place", ["environment", "settings", ".env"])
def test_commands_are_found_wherever_the_settings_put_the_plugins(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (home / "else").mkdir()
    (home / "else" / "loud.py").write_text(SHOUT)
    if place == "environment":
        monkeypatch.setenv("AGENT_GATEWAY__PLUGINS_DIR", "else")
    elif place == "settings":
        (home / "agent-gateway.yaml").write_text("plugins_dir: else\n")
    else:
        (home / ".env").write_text("AGENT_GATEWAY__PLUGINS_DIR=else\n")
    assert cli("shout", "hi").out == "HI\n"


def test_an_installed_plugin_is_found_by_its_module(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    info = site / "loud-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loud\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[agent_gateway]\nloud = agent_gateway_loud\n")
    (site / "agent_gateway_loud.py").write_text(SHOUT)
    assert not may_have_commands()
    monkeypatch.syspath_prepend(str(site))
    assert may_have_commands()


CAREFUL = (
    hook(
        "register_commands",
        """
    @app.command()
    def level() -> None:
        "Tell the level."
        typer.echo(str(settings["careful"].level))
    """,
        arguments="app, settings",
        before="import typer\nfrom pydantic import BaseModel\nclass Own(BaseModel):\n    level: int = 3\n",
    )
    + hook("register_settings", "return Own", before="").partition("import agent_gateway as ag\n")[2]
)


@pytest.mark.parametrize(("written", "shown"), [("", "3\n"), ("plugins: {careful: {level: 7}}", "7\n")])
def test_a_command_knows_its_plugins_settings(cli: Cli, home: Path, written: str, shown: str) -> None:
    drop(home, careful=CAREFUL)
    (home / "agent-gateway.yaml").write_text(written)
    assert cli("level").out == shown


def test_a_command_with_wrong_settings_says_so_and_does_nothing(cli: Cli, home: Path) -> None:
    drop(home, careful=CAREFUL)
    (home / "agent-gateway.yaml").write_text("plugins: {careful: {level: high}}")
    done = cli("level", "--loud", "now")
    assert done.code == 1
    assert "plugins.careful.level" in done.err
    assert done.out == ""
    assert "Tell the level." in cli("--help").out


def test_a_plugin_that_lacks_its_settings_has_no_commands(cli: Cli, home: Path) -> None:
    drop(home, careful=CAREFUL.replace("level: int = 3", "level: int"))
    assert cli("level").code == 2
    (info,) = [each for each in cli("plugins", "--json").json["plugins"] if each["name"] == "careful"]
    assert "it needs settings: plugins.careful.level" in info["errors"][0]
