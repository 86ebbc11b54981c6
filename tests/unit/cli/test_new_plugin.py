from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Cli


def test_a_new_plugin_is_found_and_served(cli: Cli, home: Path) -> None:
    done = cli("plugins", "new", "my_agent", "--json")
    assert done.code == 0
    assert done.json == {
        "folder": str(home / "plugins" / "my_agent"),
        "files": ["agent_gateway_my_agent.py", "test_agent_gateway_my_agent.py", "pyproject.toml", "README.md"],
        "persona": "my-agent",
        "port": 30130,
    }
    assert {path.name for path in (home / "plugins" / "my_agent").iterdir()} == set(done.json["files"])
    assert cli("check").code == 0
    (persona,) = cli("personas", "--json").json["personas"]
    assert (persona["id"], persona["title"], persona["port"]) == ("my-agent", "My agent", 30130)


def test_a_second_plugin_gets_another_port(cli: Cli) -> None:
    assert cli("plugins", "new", "one", "--json").json["port"] == 30130
    assert cli("plugins", "new", "two", "--json").json["port"] == 30131
    assert cli("check").code == 0


def test_a_hyphen_is_for_the_persona_alone(cli: Cli, home: Path) -> None:
    assert cli("plugins", "new", "night-watch").code == 0
    project = tomllib.loads((home / "plugins" / "night_watch" / "pyproject.toml").read_text())["project"]
    assert project["entry-points"] == {"agent_gateway": {"night_watch": "agent_gateway_night_watch"}}
    assert project["name"] == "agent-gateway-night-watch"


@pytest.mark.parametrize("name", ["Big", "1st", "../evil", "a b", "builtin", ""])
def test_a_bad_name_writes_nothing(cli: Cli, home: Path, name: str) -> None:
    done = cli("plugins", "new", name)
    assert done.code == 1
    assert "no name for a plugin" in done.err
    assert not (home / "plugins").exists()


def test_what_is_there_stays(cli: Cli, home: Path) -> None:
    (home / "plugins" / "mine").mkdir(parents=True)
    (home / "plugins" / "mine" / "notes.txt").write_text("keep me")
    done = cli("plugins", "new", "mine")
    assert done.code == 1
    assert "exists already" in done.err
    assert [path.name for path in (home / "plugins" / "mine").iterdir()] == ["notes.txt"]


def test_it_may_be_written_elsewhere(cli: Cli, home: Path) -> None:
    assert cli("plugins", "new", "mine", "--dir", "some/where").code == 0
    assert (home / "some" / "where" / "mine" / "README.md").is_file()
    assert [path.name for path in (home / "some" / "where").iterdir()] == ["mine"]


def test_a_place_that_cannot_be_written_is_an_error(cli: Cli, home: Path) -> None:
    (home / "file").write_text("")
    done = cli("plugins", "new", "mine", "--dir", "file")
    assert done.code == 1
    assert "cannot be written" in done.err
    assert "--dir" in done.err
