"""`personas` and `plugins`: who is served, and what exists."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from agent_gateway.api.shapes import PersonaEntry, PersonaList
from agent_gateway.cli.control import ControlClient
from agent_gateway.cli.lookup import find_gateway
from agent_gateway.cli.output import Output
from agent_gateway.cli.plugin_commands import open_plugins, open_registry
from agent_gateway.cli.waiting import StartNotice
from agent_gateway.client import wait_until_ready
from agent_gateway.config import Configuration
from agent_gateway.errors import ConfigurationError
from agent_gateway.knowledge.lock import LockHolder
from agent_gateway.registry import Registry, build_registry

NOT_RUNNING = "not running"


def list_personas(configuration: Configuration, *, as_json: bool) -> None:
    """Show the personas of the running gateway, or those that would be served."""
    holder = find_gateway(configuration)
    if holder is not None:
        found = asyncio.run(_fetch(holder, quiet=as_json))
    else:
        found = PersonaList(personas=tuple(expected(open_registry(configuration))))
    output = Output(as_json=as_json)
    if as_json:
        output.document(found)
        return
    output.table(
        ("ID", "TITLE", "PORT", "STATUS"),
        [(each.id, each.title, each.port or "-", each.status) for each in found.personas],
    )


async def _fetch(holder: LockHolder, *, quiet: bool) -> PersonaList:
    with StartNotice(quiet=quiet) as notice:
        await wait_until_ready(holder.control_url, notice)
    async with ControlClient(holder.control_url, holder.token) as control:
        return await control.personas()


def expected(registry: Registry) -> Iterator[PersonaEntry]:
    """Yield the personas as a gateway that is not running would list them."""
    for each in registry.served:
        persona = each.persona
        yield PersonaEntry(
            id=persona.id, title=persona.title, port=persona.port, url=f"/personas/{persona.id}", status=NOT_RUNNING
        )
    for unserved in registry.unserved:
        yield PersonaEntry(id=unserved.id, title=unserved.id, port=0, url="", status=f"disabled: {unserved.reason}")


def list_plugins(configuration: Configuration, *, as_json: bool) -> None:
    """Show every plugin that was found, disabled ones with what is wrong."""
    output = Output(as_json=as_json)
    plugins = open_plugins(configuration)
    try:
        build_registry(configuration, plugins)
    except ConfigurationError as error:
        output.warn(f"the configuration has {len(error.faults)} faults, see `agent-gateway check`")
    found = plugins.information()
    if as_json:
        output.document({"plugins": found})
        return
    columns = ("NAME", "VERSION", "SOURCE", "HOOKS", "REGISTERED", "STATUS")
    output.table(
        columns,
        [
            (
                each.name,
                each.version or "-",
                each.source,
                ", ".join(each.hooks) or "-",
                ", ".join(each.registered) or "-",
                "; ".join((*each.errors, *each.notes)) or "ok",
            )
            for each in found
        ],
    )
