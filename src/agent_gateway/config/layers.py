"""The sources of the settings, strongest first: each a layer of nested values that knows what its keys are called."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent_gateway.config.schema import KeyPath
from agent_gateway.config.settings import PATH_KEYS, SECTION_PATHS
from agent_gateway.config.wording import HIDDEN, is_secret, scrub, secrets_in, show
from agent_gateway.errors import Fault

SECTION_SEPARATOR = "__"
PREFIX = "AGENT_GATEWAY__"


@dataclass(frozen=True)
class Layer:
    """One source: `file` is what faults call it, `names` what it calls a key (its dotted path unless told).

    `hidden` values come from files that hold secrets and are never shown, whatever their key.
    """

    file: str
    values: Mapping[str, Any]
    names: Mapping[KeyPath, str] = field(default_factory=dict)
    hidden: bool = False

    def holds(self, path: KeyPath) -> bool:
        """Tell whether this layer gives a value at a path, or decides it by a value above."""
        here: Any = self.values
        for part in path:
            if not isinstance(here, Mapping):
                return not isinstance(here, list | tuple) or part.isdigit()
            if part not in here:
                return False
            here = here[part]
        return True

    def name(self, path: KeyPath) -> str:
        """Return what this source calls the key at a path."""
        for known, name in self.names.items():
            if known[: len(path)] == path or path[: len(known)] == known:
                return name
        return ".".join(path) or "(file)"


@dataclass(frozen=True)
class Origins:
    """Where each setting came from: the layers, strongest first. Faults name file and key through it."""

    layers: tuple[Layer, ...] = ()

    def fault(self, path: KeyPath, detail: str, *, value: Any = "", hint: str = "") -> Fault:
        """Make the fault of the key at a path, naming the strongest source that gives it; secrets stay hidden."""
        layer = next(self.holding(path), Layer(file="settings", values={}))
        known_secrets = frozenset().union(*(self.secrets(each) for each in self.layers))
        shown = show(value) if value != "" else ""
        if shown and (layer.hidden or is_secret(path)):
            shown = HIDDEN
        detail = scrub(detail, known_secrets)
        return Fault(file=layer.file, key=layer.name(path), detail=detail, value=scrub(shown, known_secrets), hint=hint)

    def holding(self, path: KeyPath) -> Iterator[Layer]:
        """Yield the layers that give a value at a path, strongest first."""
        return (layer for layer in self.layers if path and layer.holds(path))

    @staticmethod
    def secrets(layer: Layer) -> frozenset[str]:
        """Collect the secret texts of a layer."""
        return secrets_in(layer.values, ("secret",) if layer.hidden else ())


def anchor(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Make the paths among the values start at the folder they are relative to."""
    anchored = _anchor(values, PATH_KEYS, folder)
    for section, keys in SECTION_PATHS.items():
        if isinstance(anchored.get(section), Mapping):
            anchored[section] = _anchor(anchored[section], keys, folder)
    return anchored


def _anchor(values: Mapping[str, Any], keys: Collection[str], folder: Path) -> dict[str, Any]:
    return {
        key: str(folder / os.path.expanduser(value))  # noqa: PTH111 - Path.expanduser raises for an unknown ~user
        if key in keys and isinstance(value, str | Path) and str(value)
        else value
        for key, value in values.items()
    }


def nest(leaves: Sequence[tuple[KeyPath, Any]]) -> dict[str, Any]:
    """Build nested values from leaves; below a plain value nothing is added, so that its own fault shows."""
    root: dict[str, Any] = {}
    for path, value in sorted(leaves, key=lambda leaf: leaf[0]):
        here = root
        for part in path[:-1]:
            below = here.setdefault(part, {})
            if not isinstance(below, dict):
                break
            here = below
        else:
            here.setdefault(path[-1], value)
    return root


def prune(values: Any, path: KeyPath) -> Any:
    """Return nested values without what is at a path, or without the plain value above it; order is kept."""
    if not path or not isinstance(values, Mapping):
        return values
    kept: dict[str, Any] = {}
    for key, value in values.items():
        if key != path[0]:
            kept[key] = value
        elif len(path) > 1 and isinstance(value, Mapping):
            kept[key] = prune(value, path[1:])
    return kept
