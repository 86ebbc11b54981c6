"""Builds the registry: asks the plugins, applies personas.yaml, and reports every fault at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from types import MappingProxyType

import msgspec

from agent_gateway.config import PLUGINS_VARIABLE, Configuration, suggest
from agent_gateway.errors import ConfigurationError, Fault
from agent_gateway.persona import Persona
from agent_gateway.plugins import Plugins, load_plugins
from agent_gateway.registry.agreement import settle
from agent_gateway.registry.contributions import Contribution, gather
from agent_gateway.registry.documents import RegisteredFolder, label_folder, unite
from agent_gateway.registry.plugin_settings import validate_plugin_settings
from agent_gateway.registry.registry import Registry, ServedPersona, own_collections
from agent_gateway.registry.roster import Member, Roster


def build_registry(configuration: Configuration, plugins: Plugins | None = None) -> Registry:
    """Decide what exists and what is served; raises `ConfigurationError` with all faults, the configuration's too.

    `plugins` are loaded as the configuration says unless they are given. A plugin's own faults raise nothing: it is
    disabled and shown.
    """
    if plugins is None:
        plugins = load_plugins(configuration.settings.plugins_dir, configuration.plugin_names)
    contributions = gather(plugins, configuration)
    settings, wrong = validate_plugin_settings(configuration, plugins, contributions)
    roster, misfits = settle(configuration, plugins, contributions)
    faults = (*configuration.faults, *absent_plugins(configuration, plugins), *wrong, *misfits)
    if faults:
        raise ConfigurationError(faults)
    working = [each for each in contributions if each.plugin in plugins.names]
    for each in working:
        plugins.note_registered(each.plugin, each.summary())
    tools = frozenset(name for each in working for name in each.tools)
    placed = [place(member, configuration, tools) for member in roster.members]
    return Registry(
        served=tuple(persona for persona, _ in placed),
        unserved=roster.unserved,
        intents=MappingProxyType({name: intent for each in working for name, intent in each.intents.items()}),
        examples=MappingProxyType({name: found for each in working for name, found in each.examples.items()}),
        tools=MappingProxyType({name: found for each in working for name, found in each.tools.items()}),
        checks=tuple(check for each in working for check in each.checks),
        providers=MappingProxyType({name: found for each in working for name, found in each.providers.items()}),
        folders=unite(
            (*(each for _, own in placed for each in own), *(each for one in working for each in one.knowledge))
        ),
        settings=MappingProxyType({name: model for name, model in settings.items() if name in plugins.names}),
        assigned=assigned_collections(configuration, contributions, roster),
        loaded=plugins,
    )


def absent_plugins(configuration: Configuration, plugins: Plugins) -> Iterator[Fault]:
    """Find names in AGENT_GATEWAY_PLUGINS that no plugin has."""
    known = {*plugins.names, *plugins.broken, *plugins.left_out}
    for name in sorted((configuration.plugin_names or frozenset()) - known):
        hint = suggest(name, known)
        yield Fault(file="environment", key=PLUGINS_VARIABLE, detail="there is no such plugin", value=name, hint=hint)


def place(
    member: Member, configuration: Configuration, tools: Collection[str]
) -> tuple[ServedPersona, tuple[RegisteredFolder, ...]]:
    """Make a member's document folders absolute, where they are relative to whoever wrote them.

    `tools` are those that exist: of its optional tools it gets these.
    """
    persona = member.final
    own = member.plugin and member.from_plugin("documents")
    base, plugin = (member.folder, member.plugin) if own else (configuration.personas_file.parent, "")
    folders = tuple(
        RegisteredFolder(
            label=label_folder(written, plugin),
            path=Path(base, written).resolve(),
            collection=collection,
            personas=(persona.id,),
        )
        for written, collection in persona.documents.items()
    )
    documents = MappingProxyType({str(each.path): each.collection for each in folders})
    own_tools = persona.tools
    if member.from_plugin("tools"):
        own_tools = (*own_tools, *(name for name in persona.optional_tools if name in tools and name not in own_tools))
    persona = msgspec.structs.replace(persona, documents=documents, tools=own_tools)
    return ServedPersona(persona=persona, plugin=member.plugin, listed=member.entry is not None), folders


def assigned_collections(
    configuration: Configuration, contributions: Sequence[Contribution], roster: Roster
) -> frozenset[str]:
    """Collect the collections that are somebody's, also of personas that are not served and plugins that broke.

    What a persona kept to itself must not become everybody's because its plugin failed today.
    """
    personas: list[Persona] = [persona for each in contributions for persona in each.personas]
    personas += [member.final for member in roster.members]
    entries = configuration.entries.values()
    return frozenset(
        {
            *(name for persona in personas for name in own_collections(persona)),
            *(name for entry in entries for name in (*(entry.collections or ()), *(entry.documents or {}).values())),
            *(folder.collection for each in contributions for folder in each.knowledge),
        }
    )
