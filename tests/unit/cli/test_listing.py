from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.cli.conftest import Cli
from tests.unit.plugins.folder import drop, persona

ECHO = persona("id='echo', port=30107, title='Echo', prompt='x'")
SHY = persona("id='shy', title='Shy', prompt='x'")


@pytest.fixture(autouse=True)
def _plugins(home: Path) -> None:
    drop(home, echo=ECHO, shy=SHY, broken="import nothing_of_that_name")


def test_personas_lists_who_would_be_served(cli: Cli) -> None:
    done = cli("personas")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[:2] == ["ID\tTITLE\tPORT\tSTATUS", "echo\tEcho\t30107\tnot running"]
    assert lines[2].startswith("shy\tshy\t-\tdisabled: it has no port")


def test_personas_as_json_is_what_the_gateway_answers(cli: Cli) -> None:
    first, second = cli("personas", "--json").json["personas"]
    assert first == {"id": "echo", "title": "Echo", "port": 30107, "url": "/personas/echo", "status": "not running"}
    assert (second["id"], second["url"]) == ("shy", "")


def test_plugins_lists_name_version_source_hooks_and_errors(cli: Cli, home: Path) -> None:
    done = cli("plugins")
    assert done.code == 0
    rows = {line.split("\t")[0]: line.split("\t") for line in done.out.splitlines()}
    assert rows["builtin"][2] == "built-in"
    assert rows["echo"][1:] == ["-", str(home / "plugins" / "echo.py"), "register_personas", "persona echo", "ok"]
    assert "ModuleNotFoundError" in rows["broken"][5]


def test_plugins_are_listed_even_when_the_configuration_is_wrong(cli: Cli, home: Path) -> None:
    (home / "agent-gateway.yaml").write_text("nonsense: 1\n")
    done = cli("plugins", "--json")
    assert done.code == 0
    assert "echo" in {each["name"] for each in done.json["plugins"]}
    assert "1 faults" in done.err


def test_personas_needs_a_right_configuration(cli: Cli, home: Path) -> None:
    (home / "agent-gateway.yaml").write_text("nonsense: 1\n")
    done = cli("personas")
    assert done.code == 1
    assert "agent-gateway.yaml: nonsense" in done.err
