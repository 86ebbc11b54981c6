"""Who is served: the personas that personas.yaml lists, and those dropped in with a port of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from agent_gateway.config import Configuration, PersonaEntry
from agent_gateway.errors import Fault
from agent_gateway.persona import Persona
from agent_gateway.plugins import Plugins
from agent_gateway.registry.contributions import Contribution
from agent_gateway.registry.personas import missing_fields, override


class UnservedPersona(msgspec.Struct, frozen=True, kw_only=True):
    """A persona that exists but is not served, and why. A `listed` one should be: something is broken.

    `plugin` is empty when it is not known which one registers it.
    """

    id: str
    plugin: str
    listed: bool
    reason: str


@dataclass(frozen=True)
class Member:
    """A persona to be served: as its plugin registered it, and its entry of personas.yaml, if it has one.

    `plugin` is empty for a persona that is written in personas.yaml alone; `folder` is where its plugin lies.
    """

    persona: Persona
    plugin: str
    folder: Path
    entry: PersonaEntry | None

    @property
    def final(self) -> Persona:
        """The persona with what personas.yaml says."""
        return self.persona if self.entry is None else override(self.persona, self.entry)

    def from_plugin(self, field: str) -> bool:
        """Tell whether a field is as the plugin says, so that a fault in it is the plugin's."""
        return self.entry is None or getattr(self.entry, field) is None


@dataclass(frozen=True)
class Roster:
    """Members in the order of personas.yaml, then of the plugins; `faults` are those of incomplete entries."""

    members: tuple[Member, ...]
    unserved: tuple[UnservedPersona, ...]
    faults: tuple[Fault, ...]


def enrol(configuration: Configuration, plugins: Plugins, contributions: Sequence[Contribution]) -> Roster:
    """Decide who is served by the plugins that are (still) enabled."""
    working = [each for each in contributions if each.plugin in plugins.names]
    registered = {persona.id: (persona, each) for each in working for persona in each.personas}
    members: list[Member] = []
    unserved: list[UnservedPersona] = []
    faults: list[Fault] = []
    for persona_id, entry in configuration.entries.items():
        known = registered.pop(persona_id, None)
        why = "" if known else absence(persona_id, entry, plugins, contributions)
        wanting = missing_fields(entry) if known is None else ("port",) * (not (entry.port or known[0].port))
        if why:
            unserved.append(UnservedPersona(id=persona_id, plugin="", listed=True, reason=why))
        elif wanting:
            faults.extend(incomplete(configuration, persona_id, wanting, known is not None))
        elif known:
            members.append(Member(known[0], known[1].plugin, known[1].folder, entry))
        else:
            members.append(Member(written(persona_id, entry), "", configuration.personas_file.parent, entry))
    for persona, each in registered.values():
        if persona.port and not configuration.only_listed:
            members.append(Member(persona, each.plugin, each.folder, None))
            continue
        reason = "personas.yaml says only_listed" if persona.port else "it has no port, and personas.yaml gives it none"
        unserved.append(UnservedPersona(id=persona.id, plugin=each.plugin, listed=False, reason=reason))
    return Roster(tuple(members), tuple(unserved), tuple(faults))


def absence(persona_id: str, entry: PersonaEntry, plugins: Plugins, contributions: Sequence[Contribution]) -> str:
    """Say why a listed persona cannot be served although personas.yaml is right; empty when it is not excused.

    The plugin's name is the persona's with underscores, or one that had told the persona before it failed. A plugin
    that failed before telling may be the one, too, unless the entry is complete by itself.
    """
    errors = {info.name: info.errors for info in plugins.information()}
    name = persona_id.replace("-", "_")
    tellers = {persona.id: each.plugin for each in contributions for persona in each.personas}
    for plugin in (name, tellers.get(persona_id, "")):
        if plugin in plugins.broken:
            return f"its plugin '{plugin}' is disabled: {errors[plugin][0]}"
        if plugin in plugins.left_out:
            return f"its plugin '{plugin}' is not among AGENT_GATEWAY_PLUGINS"
    silent = [*(each.plugin for each in contributions if not each.told), *sorted(plugins.left_out)]
    if silent and missing_fields(entry):
        return f"no plugin registers it; these could not be asked: {', '.join(silent)}"
    return ""


def incomplete(configuration: Configuration, persona_id: str, wanting: Sequence[str], known: bool) -> Iterator[Fault]:
    """Yield the faults of an entry that lacks fields; not of those whose value was wrong and left out."""
    detail = "is required: its plugin names none" if known else "is required: no plugin registers this persona"
    hint = "" if known else "is the plugin in the plugins folder? See `agent-gateway plugins`"
    refused = {fault.key for fault in configuration.faults}
    for field in wanting:
        if f"personas.{persona_id}.{field}" not in refused:
            yield configuration.personas_origins.fault(("personas", persona_id, field), detail, hint=hint)


def written(persona_id: str, entry: PersonaEntry) -> Persona:
    """Make the persona that an entry describes completely by itself."""
    return override(Persona(id=persona_id, title="", prompt=""), entry)
