"""What exists and what is served, once everything fits together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import structlog
from pydantic import BaseModel

from agent_gateway.completion import ModelProvider
from agent_gateway.config import INTERACTIONS
from agent_gateway.hookspecs import Check
from agent_gateway.intent import IntentDefinition, IntentExample
from agent_gateway.messages import Run
from agent_gateway.persona import Persona
from agent_gateway.plugins import PluginInfo, Plugins
from agent_gateway.registry.documents import RegisteredFolder
from agent_gateway.registry.roster import UnservedPersona
from agent_gateway.tool import Tool, ToolCall

log = structlog.get_logger(__name__)


class ServedPersona(msgspec.Struct, frozen=True, kw_only=True):
    """A persona as it is served: its `documents` are absolute folders.

    `plugin` is empty when personas.yaml describes it completely; `listed` tells whether it is there at all.
    """

    persona: Persona
    plugin: str
    listed: bool


@dataclass(frozen=True)
class Registry:
    """Personas, intents, tools, documents and plugins of one gateway.

    `intents` and `examples` are by intent name, `tools` by tool name, `providers` of models by the name their ids
    begin with, `checks` are for `doctor`, `settings` by plugin name. `assigned` are the collections that some persona
    lists or some folder fills; any other one belongs to everybody.
    """

    served: tuple[ServedPersona, ...]
    unserved: tuple[UnservedPersona, ...]
    intents: Mapping[str, IntentDefinition]
    examples: Mapping[str, tuple[IntentExample, ...]]
    tools: Mapping[str, Tool]
    providers: Mapping[str, ModelProvider]
    checks: tuple[Check, ...]
    folders: tuple[RegisteredFolder, ...]
    settings: Mapping[str, BaseModel]
    assigned: frozenset[str]
    loaded: Plugins

    @property
    def plugins(self) -> tuple[PluginInfo, ...]:
        """Every plugin that was found, disabled ones with their errors."""
        return self.loaded.information()

    def folder_labels(self) -> Mapping[tuple[Path, str], str]:
        """Return what each registered folder is called in the knowledge base, by its path and collection."""
        return {(each.path, each.collection): each.label for each in self.folders}

    def intents_of(self, persona: Persona) -> tuple[str, ...]:
        """Return the intents a persona understands: all when it names none."""
        return persona.intents or tuple(self.intents)

    def tools_of_intents(self) -> Mapping[str, tuple[str, ...]]:
        """Return the tools that each intent selects, by the intent's name: those it names, then those that name it."""
        return {
            name: (*intent.tools, *(each.name for each in self.tools.values() if name in each.intents))
            for name, intent in self.intents.items()
        }

    def veto(self, call: ToolCall, persona: Persona, owner: str) -> str:
        """Ask every plugin's `before_tool_call`; the first reason against the call, empty when there is none."""
        for name in self.loaded.names:
            reason, error = self.loaded.call(name, "before_tool_call", call=call, persona=persona, owner=owner)
            if error:
                log.warning("hook_failed", plugin=name, hook="before_tool_call", error=error)
                return f"the plugin '{name}' could not judge the call"
            if reason:
                return str(reason)
        return ""

    def abilities_of(self, persona: Persona) -> tuple[str, ...]:
        """Return what completes "I can ..." for a persona."""
        return tuple(self.intents[name].summary for name in self.intents_of(persona) if name in self.intents)

    def visible_collections(self, persona: Persona, existing: Sequence[str]) -> tuple[str, ...]:
        """Return the collections a persona may search at all: its own, then existing ones that are nobody's."""
        own = own_collections(persona)
        if persona.collections_only:
            return own
        return (*own, *(name for name in existing if name not in self.assigned and name != INTERACTIONS))

    def collections_for(self, persona: Persona, intent_name: str, existing: Sequence[str]) -> tuple[str, ...]:
        """Return the collections searched for an intent; `existing` are those the knowledge base holds.

        The intent's, as far as they are the persona's, else all of the persona's; then those that are nobody's.
        Remembered interactions are recalled separately and never among them.
        """
        visible = self.visible_collections(persona, existing)
        own = own_collections(persona)
        intent = self.intents.get(intent_name)
        chosen = tuple(name for name in (intent.collections if intent else ()) if name in own)
        return (*(chosen or own), *visible[len(own) :])

    def startup(self) -> Registry:
        """Call every plugin's `on_startup`; returns the registry without the personas of those that failed."""
        registry = self
        for name in self.loaded.names:
            settings = {name: self.settings[name]} if name in self.settings else {}
            _, error = self.loaded.call(name, "on_startup", settings=settings)
            if error:
                registry = registry.without(name, error)
        return registry

    def shutdown(self) -> None:
        """Call every plugin's `on_shutdown`, last loaded first, and let go of dropped-in modules."""
        for name in reversed(self.loaded.names):
            self._tell(name, "on_shutdown")
        self.loaded.close()

    def run_finished(self, run: Run) -> None:
        """Call every plugin's `on_run_finished`."""
        for name in self.loaded.names:
            self._tell(name, "on_run_finished", run=run)

    def without(self, plugin: str, reason: str) -> Registry:
        """Disable a plugin; returns the registry without its personas. Its intents, already learned, stay."""
        log.warning("plugin_disabled", plugin=plugin, error=reason)
        self.loaded.reject(plugin, reason)
        gone = [each for each in self.served if each.plugin == plugin]
        unserved = (
            UnservedPersona(id=each.persona.id, plugin=plugin, listed=each.listed, reason=reason) for each in gone
        )
        kept = tuple(each for each in self.served if each.plugin != plugin)
        return replace(self, served=kept, unserved=(*self.unserved, *unserved))

    def _tell(self, plugin: str, hook: str, **arguments: object) -> None:
        _, error = self.loaded.call(plugin, hook, **arguments)
        if error:
            log.warning("hook_failed", plugin=plugin, hook=hook, error=error)


def own_collections(persona: Persona) -> tuple[str, ...]:
    """Return the collections a persona lists or fills with its documents, without remembered interactions."""
    names = dict.fromkeys((*persona.collections, *persona.documents.values()))
    return tuple(name for name in names if name != INTERACTIONS)
