"""Loads plugins, calls their hooks one plugin at a time, and keeps account of what went wrong with each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pluggy import PluginManager

from agent_gateway import hookspecs
from agent_gateway.plugins.discovery import BUILT_IN, Candidate, discover
from agent_gateway.plugins.dropin import forget
from agent_gateway.plugins.information import PluginInfo
from agent_gateway.plugins.isolation import attempt, hook_faults, own


@dataclass
class Record:
    """The account of one plugin."""

    candidate: Candidate
    version: str
    plugin: Any = None
    hooks: tuple[str, ...] = ()
    registered: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Plugins:
    """The plugins of one gateway, in the order they were found. A failure disables its plugin, and only that."""

    def __init__(self, candidates: Iterable[Candidate], left_out: Collection[str] = ()) -> None:
        self.left_out = frozenset(left_out)
        self._manager = PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._records = {each.name: Record(each, each.version, notes=list(each.notes)) for each in candidates}
        for name in self._records:
            self._load(name)

    def _load(self, name: str) -> None:
        record = self._records[name]
        error = record.candidate.error
        if not error:
            record.plugin, error = attempt(record.candidate.load)
        if not error:
            _, error = attempt(lambda: self._manager.register(record.plugin, name))
        if error:
            record.errors.append(error)
            return
        if not record.version:
            record.version = str(getattr(record.plugin, "__version__", ""))
        record.hooks = tuple(sorted(caller.name for caller in self._manager.get_hookcallers(record.plugin) or ()))
        for fault in hook_faults(self._manager, record.plugin):
            self.reject(name, fault)

    @property
    def names(self) -> tuple[str, ...]:
        """The plugins that take part."""
        return tuple(name for name, record in self._records.items() if not record.errors)

    @property
    def broken(self) -> tuple[str, ...]:
        """The plugins that are disabled."""
        return tuple(name for name, record in self._records.items() if record.errors)

    def implements(self, name: str, hook: str) -> bool:
        """Tell whether a plugin takes part and implements a hook."""
        return name in self.names and hook in self._records[name].hooks

    def call(self, name: str, hook: str, **arguments: Any) -> tuple[Any, str]:
        """Call one plugin's hook: its result, None when it has none, and what went wrong, empty if nothing did.

        The plugin is not disabled by this; the caller decides, with `reject`.
        """
        if not self.implements(name, hook):
            return None, ""
        (implementation,) = own(getattr(self._manager.hook, hook).get_hookimpls(), self._records[name].plugin)
        given = [arguments[argument] for argument in implementation.argnames]
        result, error = attempt(lambda: implementation.function(*given))
        return result, f"{hook}: {error}" if error else ""

    def reject(self, name: str, error: str) -> None:
        """Disable a plugin, saying why; its hooks are not called again."""
        record = self._records[name]
        record.errors.append(error)
        if self._manager.has_plugin(name):
            self._manager.unregister(name=name)

    def note_registered(self, name: str, what: Iterable[str]) -> None:
        """Keep account of what a plugin added, such as `persona echo`."""
        self._records[name].registered.extend(what)

    def folder(self, name: str) -> Path:
        """Return where a plugin's relative paths start: beside its file, else the working folder."""
        file = getattr(self._records[name].plugin, "__file__", None)
        return Path(file).absolute().parent if isinstance(file, str) else Path.cwd()

    def information(self) -> tuple[PluginInfo, ...]:
        """Return the account of every plugin, disabled ones too."""
        return tuple(
            PluginInfo(
                name=name,
                version=record.version,
                source=record.candidate.source,
                hooks=record.hooks,
                registered=tuple(record.registered),
                errors=tuple(record.errors),
                notes=tuple(record.notes),
            )
            for name, record in self._records.items()
        )

    def close(self) -> None:
        """Forget the modules of dropped-in plugins; the objects they made stay usable."""
        for record in self._records.values():
            module = getattr(record.plugin, "__name__", "")
            if record.candidate.dropped and module:
                forget(module)


def load_plugins(
    folder: Path, only: Collection[str] | None = None, given: Mapping[str, object] = MappingProxyType({})
) -> Plugins:
    """Find and load the plugins; never raises for a plugin's fault.

    `folder` is the plugins folder, which need not exist; `only` restricts which are loaded beside the built-in one;
    `given` are plugin objects by name, which stand before those of the folder.
    """
    found = discover(folder, given)
    chosen = [each for each in found if only is None or each.name == BUILT_IN or each.name in only]
    kept = {each.name for each in chosen}
    return Plugins(chosen, left_out={each.name for each in found} - kept)
