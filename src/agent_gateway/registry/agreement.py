"""Whether everything registered fits together: a misfit in personas.yaml is a fault, one of a plugin rejects it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent_gateway.config import Configuration, suggest
from agent_gateway.errors import Fault
from agent_gateway.plugins import Plugins
from agent_gateway.registry.contributions import Contribution
from agent_gateway.registry.roster import Member, Roster, enrol


@dataclass(frozen=True)
class Rejection:
    """A plugin to disable, and why."""

    plugin: str
    error: str


Misfit = Fault | Rejection


def settle(
    configuration: Configuration, plugins: Plugins, contributions: Sequence[Contribution]
) -> tuple[Roster, tuple[Fault, ...]]:
    """Reject plugins until the rest fits together; returns who is served and the faults of personas.yaml.

    One kind of misfit at a time: what a plugin that goes had claimed is free again for the others.
    """
    while True:
        roster = enrol(configuration, plugins, contributions)
        working = [each for each in contributions if each.plugin in plugins.names]
        faults = list(roster.faults)
        for misfits in (duplicates(working), references(configuration, roster, working), ports(configuration, roster)):
            found = list(misfits)
            rejections = {each.plugin: each.error for each in found if isinstance(each, Rejection)}
            faults += [each for each in found if isinstance(each, Fault)]
            for plugin, error in rejections.items():
                plugins.reject(plugin, error)
            if rejections:
                break
        else:
            return roster, tuple(faults)


def duplicates(contributions: Sequence[Contribution]) -> Iterator[Rejection]:
    """Find names that an earlier plugin has registered already."""
    owners: dict[str, str] = {}
    for each in contributions:
        for what in (
            *(f"persona '{persona.id}'" for persona in each.personas),
            *(f"intent '{n}'" for n in each.intents),
            *(f"tool '{n}'" for n in each.tools),
            *(f"provider of models '{n}'" for n in each.providers),
        ):
            owner = owners.setdefault(what, each.plugin)
            if owner != each.plugin:
                yield Rejection(each.plugin, f"{what} is already registered by plugin '{owner}'")
        if len({persona.id for persona in each.personas}) < len(each.personas):
            yield Rejection(each.plugin, "it registers two personas with the same id")


def references(configuration: Configuration, roster: Roster, contributions: Sequence[Contribution]) -> Iterator[Misfit]:
    """Find intents and tools that do not exist, and folders that are not there."""
    intents = {name for each in contributions for name in each.intents}
    tools = {name for each in contributions for name in each.tools}
    yield from toolless(contributions, tools)
    for member in roster.members:
        persona = member.final
        yield from absent(
            configuration, member, "intents", (name for name in persona.intents if name not in intents), intents
        )
        yield from absent(configuration, member, "tools", (name for name in persona.tools if name not in tools), tools)
        base = member.folder if member.from_plugin("documents") else configuration.personas_file.parent
        for written in persona.documents:
            if not Path(base, written).is_dir():
                yield misfit(
                    configuration, member, ("documents", written), f"the folder {Path(base, written)} does not exist"
                )


def toolless(contributions: Sequence[Contribution], tools: Container[str]) -> Iterator[Rejection]:
    """Find intents that name tools which do not exist."""
    for each in contributions:
        for intent in each.intents.values():
            for name in intent.tools:
                if name not in tools:
                    yield Rejection(each.plugin, f"intent '{intent.name}': there is no tool '{name}'")


def absent(
    configuration: Configuration, member: Member, field: str, names: Iterable[str], known: Iterable[str]
) -> Iterator[Misfit]:
    """Make the misfits of names in a field that nothing has."""
    order = getattr(member.final, field)
    for name in names:
        detail, hint = f"there is no {field.removesuffix('s')} '{name}'", suggest(name, known)
        yield misfit(configuration, member, (field, str(order.index(name))), detail, hint)


def misfit(configuration: Configuration, member: Member, path: tuple[str, ...], detail: str, hint: str = "") -> Misfit:
    """Blame personas.yaml when it says the field, else the plugin."""
    if member.from_plugin(path[0]):
        text = f"persona '{member.persona.id}': {detail}" + (f"; {hint}" if hint else "")
        return Rejection(member.plugin, text)
    return configuration.personas_origins.fault(("personas", member.persona.id, *path), detail, hint=hint)


def ports(configuration: Configuration, roster: Roster) -> Iterator[Misfit]:
    """Find two on one port: first come ports that personas.yaml names, then listed personas', then dropped-in ones'."""
    claims: dict[int, Member | None] = {configuration.settings.server.port: None}
    for member in sorted(roster.members, key=precedence):
        holder = claims.setdefault(member.final.port, member)
        if holder is member:
            continue
        culprit, other = member, holder
        if holder and precedence(holder) == 0 and precedence(member) == 1:  # the entry took a listed persona's own port
            culprit, other = holder, member
        port = member.final.port
        taken = f"is taken by persona '{other.persona.id}'" if other else "is the gateway's own"
        if culprit.from_plugin("port"):
            yield Rejection(culprit.plugin, f"persona '{culprit.persona.id}': port {port} {taken}")
        else:
            path = ("personas", culprit.persona.id, "port")
            yield configuration.personas_origins.fault(path, taken, value=port, hint="choose a free one")


def precedence(member: Member) -> int:
    """Order of claims to a port."""
    if not member.from_plugin("port"):
        return 0
    return 2 if member.entry is None else 1
