"""`tools`: what can be done, by whom, and what is asked about."""

from __future__ import annotations

from typing import Any

import msgspec

from agent_gateway.cli.output import Output
from agent_gateway.cli.plugin_commands import open_registry
from agent_gateway.config import Configuration, suggest
from agent_gateway.errors import NotFound
from agent_gateway.registry import Registry
from agent_gateway.tool import Tool


class ToolEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A tool. `personas`: who has it, and what their policy makes of its writes (never, deny, ask, auto)."""

    name: str
    effect: str
    description: str
    intents: tuple[str, ...]
    personas: dict[str, str]
    previews: bool
    verifies: bool
    timeout_seconds: float
    parameters: dict[str, Any]


def list_tools(configuration: Configuration, persona: str, *, as_json: bool) -> None:
    """Show the tools; `NotFound` for a persona that is not served."""
    registry = open_registry(configuration)
    known = [each.persona.id for each in registry.served]
    if persona and persona not in known:
        raise NotFound(f"there is no persona '{persona}'", code="persona_not_found", hint=suggest(persona, known))
    entries = [entry_of(each, registry) for each in registry.tools.values()]
    found = [each for each in entries if not persona or persona in each.personas]
    output = Output(as_json=as_json)
    if as_json:
        output.document({"tools": found})
        return
    output.table(
        ("TOOL", "EFFECT", "PERSONAS", "WHAT IT DOES"),
        [(each.name, each.effect, tell_personas(each), each.description.splitlines()[0]) for each in found],
    )


def entry_of(tool: Tool, registry: Registry) -> ToolEntry:
    """Describe a tool, and who has it."""
    owners = {each.persona.id: each.persona for each in registry.served if tool.name in each.persona.tools}
    named = tuple(name for name, tools in registry.tools_of_intents().items() if tool.name in tools)
    return ToolEntry(
        name=tool.name,
        effect=tool.effect if isinstance(tool.effect, str) else "depends",
        description=tool.description,
        intents=named,
        personas={name: persona.writes_of(tool) for name, persona in owners.items()},
        previews=tool.preview is not None,
        verifies=tool.verify is not None,
        timeout_seconds=tool.timeout_seconds,
        parameters=dict(tool.parameters),
    )


def tell_personas(entry: ToolEntry) -> str:
    """Name who has a tool, with what becomes of its writes."""
    return ", ".join(name if writes == "never" else f"{name} ({writes})" for name, writes in entry.personas.items())
