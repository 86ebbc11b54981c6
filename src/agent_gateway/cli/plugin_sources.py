"""Whether any plugin may add commands, told from its source: importing plugins to draw `--help` would be too slow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

HOOK = b"register_commands"
GROUP = "agent_gateway"
FOLDER_KEY = "plugins_dir"


def may_have_commands() -> bool:
    """Tell whether some plugin's source names the hook; one that does not cannot implement it."""
    return any(HOOK in read(path) for path in sources())


def sources() -> Iterator[Path]:
    """Yield the Python files of every plugin, dropped-in or installed."""
    folder = plugins_folder()
    yield from folder.glob("*.py")
    yield from folder.glob("*/agent_gateway_*.py")
    yield from folder.glob("*/agent_gateway_*/**/*.py")
    for point in entry_points(group=GROUP):
        spec = find_spec(point.module.partition(".")[0])  # of a top-level module: imports nothing
        for place in (spec.submodule_search_locations or ()) if spec else ():
            yield from Path(place).rglob("*.py")
        if spec and spec.origin:
            yield Path(spec.origin)


def plugins_folder() -> Path:
    """Return the plugins folder; the settings are only loaded when something names it."""
    named = any(FOLDER_KEY.encode() in read(Path(name)).lower() for name in ("agent-gateway.yaml", ".env"))
    if named or any(name.lower().endswith(f"__{FOLDER_KEY}") for name in os.environ):
        from agent_gateway.config import read_configuration  # noqa: PLC0415 - pydantic is slow, and rarely needed

        return read_configuration().settings.plugins_dir
    return Path("plugins")


def read(path: Path) -> bytes:
    """Read a file; one that cannot be read is empty, and whoever loads it says why."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
