"""What `plugins new` writes passes its own test, and its code is as clean as ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new plugin in an empty working folder."""
    home = tmp_path_factory.mktemp("home")
    run(home, "agent_gateway", "plugins", "new", "night_watch")
    return home / "plugins" / "night_watch"


def run(folder: Path, module: str, *arguments: str) -> str:
    """Run a module in a folder, and return what it wrote."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("place", ["its folder", "the working folder"])
def test_a_new_plugin_passes_its_own_test(plugin: Path, place: str) -> None:
    if place == "its folder":
        assert "2 passed" in run(plugin, "pytest", "-q", "-W", "error")
    else:
        assert "2 passed" in run(plugin.parents[1], "pytest", "-q", "-W", "error", "plugins/night_watch")


def test_a_new_plugin_has_nothing_to_find_fault_with(plugin: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    run(plugin, "ruff", "check", "--config", str(root / "pyproject.toml"), "agent_gateway_night_watch.py")
    run(plugin, "ruff", "format", "--check", "--line-length", "120", ".")
    run(root, "mypy", "--strict", str(plugin / "agent_gateway_night_watch.py"))
