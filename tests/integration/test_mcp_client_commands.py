"""`agent-gateway mcp` as an operator types it, and how little the plugin loads before it is used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SERVER = str(ROOT / "tests" / "mcp_stdio_server.py")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with the plugin, and a server that is a command."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "mcp").symlink_to(ROOT / "plugins" / "mcp")
    (tmp_path / "description").write_text("Tells.", "utf-8")
    own = {"command": sys.executable, "args": [SERVER, str(tmp_path / "description")]}
    settings = {"plugins": {"mcp": {"mcpServers": {"own": own}}}}
    (tmp_path / "agent-gateway.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    return tmp_path


def type_command(folder: Path, *arguments: str, code: int = 0) -> str:
    """Run a command; returns what it wrote."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AGENT_GATEWAY")}
    done = subprocess.run(
        [sys.executable, "-m", "agent_gateway", *arguments], cwd=folder, env=kept, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_tools_are_listed_accepted_and_listed_again(folder: Path) -> None:
    assert "  new       own_tell\n            Tells.\n" in type_command(folder, "mcp", "list")
    assert not (folder / "mcp-accepted.json").exists()
    told = type_command(folder, "mcp", "accept", "own", "--read", "tell")
    assert "accepted  own_tell (reads)" in told
    assert "Written to mcp-accepted.json" in told
    stored = json.loads((folder / "mcp-accepted.json").read_text("utf-8"))["servers"]["own"]["tell"]
    assert (stored["description"], stored["read"], len(stored["sha256"])) == ("Tells.", True, 64)
    assert "own_tell" in type_command(folder, "tools")
    (folder / "description").write_text("Tells all.", "utf-8")
    assert "  changed   own_tell (reads): description\n" in type_command(folder, "mcp", "list")
    assert "'own' has no tool none" in type_command(folder, "mcp", "accept", "own", "none", code=1)


def test_a_server_that_does_not_answer_is_named(folder: Path) -> None:
    settings = {"plugins": {"mcp": {"servers": {"gone": {"url": "http://127.0.0.1:1/mcp"}}}}}
    (folder / "agent-gateway.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    assert "the MCP server 'gone' cannot be reached" in type_command(folder, "mcp", "list", code=1)


def test_nothing_that_takes_a_while_is_loaded_to_register_tools(folder: Path) -> None:
    type_command(folder, "mcp", "accept", "own")
    code = """
import sys
from pathlib import Path
from agent_gateway.config import load_configuration
from agent_gateway.registry import build_registry
registry = build_registry(load_configuration(folder=Path.cwd()))
(found,) = (each for each in registry.plugins if each.name == "mcp")
assert found.registered[0] == "tool own_tell", found
print(*sorted({"mcp", "mcp_types", "anyio", "httpx2", "jsonschema", "referencing"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
