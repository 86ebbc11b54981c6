from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Cli

from agent_gateway.cli.names import OWN_COMMANDS

HEAVY = frozenset(
    """httpx lancedb langgraph litestar numpy onnxruntime pydantic pydantic_settings sentence_transformers sklearn torch
    uvicorn yaml""".split()
)
COMPLETION = {"_AGENT_GATEWAY_COMPLETE": "complete_bash", "COMP_WORDS": "agent-gateway in", "COMP_CWORD": "1"}
RATIO = 6


def run(
    home: Path, *arguments: str, flags: tuple[str, ...] = (), variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, *flags, "-m", "agent_gateway", *arguments],
        cwd=home, env=os.environ | dict(variables or {}), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]], ids=" ".join)
def test_help_imports_nothing_heavy(home: Path, arguments: list[str]) -> None:
    done = run(home, *arguments, flags=("-X", "importtime"))
    assert done.returncode == 0
    assert "typer" in imported(done)
    assert imported(done) & HEAVY == set()


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["ask", "--help"], {}),
        (["ingest", "--help"], {}),
        (["collections", "drop", "--help"], {}),
        ([], COMPLETION),
    ],
    ids=["ask", "ingest", "drop", "completion"],
)
def test_help_of_a_command_and_completion_import_little(
    home: Path, arguments: list[str], variables: dict[str, str]
) -> None:
    done = run(home, *arguments, flags=("-X", "importtime"), variables=variables)
    assert done.returncode == 0
    # Where there are options to parse, typer itself imports pydantic.
    assert imported(done) & (HEAVY - {"pydantic"}) == set()


def imported(done: subprocess.CompletedProcess[str]) -> set[str]:
    """The top-level modules that a process imported."""
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}


@pytest.mark.parametrize(("arguments", "variables"), [(["--help"], {}), ([], COMPLETION)], ids=["help", "completion"])
def test_help_and_completion_are_there_at_once(home: Path, arguments: list[str], variables: dict[str, str]) -> None:
    # The best of several, beside what any command with typer takes: a busy neighbour is not the command's fault.
    seconds, floor = [], []
    for _ in range(5):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import typer"], check=True, timeout=60)
        floor.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        done = run(home, *arguments, variables=variables)
        seconds.append(time.perf_counter() - begun)
        assert done.returncode == 0
    assert min(seconds) < RATIO * min(floor)


def test_completion_offers_commands(home: Path) -> None:
    assert run(home, variables=COMPLETION).stdout.split() == ["ingest"]


def test_completion_offers_the_personas_of_personas_yaml(home: Path) -> None:
    (home / "personas.yaml").write_text("personas:\n  bruno: {port: 1}\n  anna: {port: 2}\n")
    words = COMPLETION | {"COMP_WORDS": "agent-gateway ask b", "COMP_CWORD": "2"}
    assert run(home, variables=words).stdout.split() == ["bruno"]


def test_help_lists_every_command_in_order(cli: Cli) -> None:
    done = cli("--help")
    listed = re.findall(r"^  ([a-z]+)  ", done.out.partition("Commands:")[2], re.MULTILINE)
    assert (done.code, tuple(listed)) == (0, OWN_COMMANDS)


@pytest.mark.parametrize(
    "command",
    [(name,) for name in OWN_COMMANDS if name not in {"keys", "policy"}]
    + [("collections", "drop"), ("plugins", "new"), ("policy", "explain")],
)
def test_every_command_takes_the_options_they_share(cli: Cli, command: tuple[str, ...]) -> None:
    done = cli(*command, "--help")
    assert done.code == 0
    assert {"--config", "--data-dir", "--json"} <= set(re.findall(r"--[a-z-]+", done.out))


def test_help_is_plain_in_a_pipe(cli: Cli) -> None:
    assert cli("--help").out.isascii()


def test_an_unknown_command_is_wrong_usage(cli: Cli) -> None:
    done = cli("inges")
    assert done.code == 2
    assert "ingest" in done.err


def test_no_command_shows_the_help(cli: Cli) -> None:
    done = cli()
    assert done.code == 2
    assert "Commands:" in done.out + done.err
