"""Finds plugins: the built-in one, what lies in the plugins folder, then installed entry points."""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import EntryPoint, entry_points, version
from pathlib import Path
from typing import Any

from agent_gateway.hookspecs import PROJECT
from agent_gateway.plugins.dropin import import_file

PLUGIN_NAME = re.compile(r"[a-z][a-z0-9_]*")
BUILT_IN = "builtin"


@dataclass(frozen=True)
class Candidate:
    """A plugin found but not yet imported. `error` says why it cannot be; `dropped`: it lies in the plugins folder."""

    name: str
    source: str
    load: Callable[[], Any]
    version: str = ""
    error: str = ""
    notes: tuple[str, ...] = ()
    dropped: bool = False


def discover(folder: Path, given: Mapping[str, object]) -> tuple[Candidate, ...]:
    """List plugins in the order they are loaded; of one name the first is kept, with a note of the others."""
    kept: dict[str, Candidate] = {}
    for candidate in (*built_in(), *handed(given), *dropped(folder), *installed()):
        first = kept.setdefault(candidate.name, candidate)
        if first is not candidate:
            note = f"also found in {candidate.source}; the one in {first.source} is used"
            kept[candidate.name] = replace(first, notes=(*first.notes, note))
    return tuple(kept.values())


def built_in() -> Iterator[Candidate]:
    """Yield the gateway's own plugin."""
    load = partial(importlib.import_module, "agent_gateway.builtin")
    yield Candidate(name=BUILT_IN, source="built-in", load=load, version=version("agent-gateway"))


def handed(given: Mapping[str, object]) -> Iterator[Candidate]:
    """Yield plugins handed over as objects, as tests do."""
    for name, plugin in given.items():
        yield Candidate(name=name, source="given", load=partial(_same, plugin))


def _same(plugin: object) -> object:
    return plugin


def dropped(folder: Path) -> Iterator[Candidate]:
    """Yield each `x.py` and each folder `x` with module or package `agent_gateway_x`, sorted; folders first."""
    if not folder.is_dir():
        return
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "_")))
    for path in paths:
        if path.is_dir():
            yield dropped_folder(path)
    for path in paths:
        if path.suffix == ".py" and path.is_file() and not path.stem.startswith(("test_", "conftest")):
            load = partial(import_file, path.stem, path)
            yield Candidate(name=path.stem, source=str(path), load=load, error=misnamed(path.stem), dropped=True)


def dropped_folder(path: Path) -> Candidate:
    """Look into a folder for its plugin."""
    choices = (path / f"agent_gateway_{path.name}.py", path / f"agent_gateway_{path.name}" / "__init__.py")
    module = next((choice for choice in choices if choice.is_file()), choices[0])
    error = misnamed(path.name) or ("" if module.is_file() else f"there is no {module.name} in it")
    return Candidate(
        name=path.name,
        source=str(path),
        load=partial(import_file, path.name, module),
        version=declared_version(path / "pyproject.toml"),
        error=error,
        dropped=True,
    )


def misnamed(name: str) -> str:
    """Say what is wrong with the name of a file or folder, or nothing."""
    if PLUGIN_NAME.fullmatch(name):
        return ""
    return f"'{name}' is no name for a plugin: use lowercase letters, digits and underscores"


def declared_version(path: Path) -> str:
    """Read the version from a plugin's pyproject.toml; empty when it says none."""
    try:
        project = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {})
    except (OSError, ValueError):
        return ""
    return str(project.get("version", "")) if isinstance(project, dict) else ""


def installed() -> Iterator[Candidate]:
    """Yield the entry points of installed distributions, sorted by name."""
    found: list[EntryPoint] = sorted(entry_points(group=PROJECT), key=lambda point: point.name)
    for point in found:
        name = point.name.replace("-", "_")
        yield Candidate(
            name=name,
            source=f"entry point {point.value}",
            load=point.load,
            version=point.dist.version if point.dist else "",
            error=misnamed(name),
        )
