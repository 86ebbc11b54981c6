"""`doctor`: looks at everything a gateway needs, whether one is running or not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import typer

from agent_gateway.cli.access_findings import check_access
from agent_gateway.cli.administration import open_administration
from agent_gateway.cli.failures import ExitCode
from agent_gateway.cli.findings import (
    Finding,
    check_collections,
    check_export,
    check_lock,
    check_plugins,
    check_ports,
    check_space,
    check_weights,
)
from agent_gateway.cli.model_findings import check_models
from agent_gateway.cli.output import Output
from agent_gateway.cli.plugin_commands import open_plugins
from agent_gateway.cli.plugin_findings import check_with_plugins
from agent_gateway.config import Configuration
from agent_gateway.errors import ConfigurationError, GatewayError
from agent_gateway.interfaces import CollectionInfo
from agent_gateway.knowledge.lock import LockHolder, read_lock
from agent_gateway.logs import configure_logs
from agent_gateway.registry import build_registry

STYLES = {"ok": "green", "absent": "yellow", "broken": "red"}


def diagnose(configuration: Configuration, *, as_json: bool) -> None:
    """Show every finding; ends with exit code 1 when one of them keeps the gateway from working."""
    configure_logs("error", configuration.settings.log.format)
    found = tuple(examine(configuration))
    output = Output(as_json=as_json)
    working = all(each.state != "broken" for each in found)
    if as_json:
        output.document({"ok": working, "findings": found})
    else:
        show(output, found)
    if not working:
        raise typer.Exit(ExitCode.FAILED)


def examine(configuration: Configuration) -> Iterator[Finding]:
    """Yield what is found, the cheap things first."""
    data_dir = configuration.settings.data_dir
    holder = read_lock(data_dir)
    yield from examine_configuration(configuration, holder)
    yield check_lock(holder)
    yield check_space(data_dir)
    yield check_weights()
    yield check_export(data_dir)
    yield check_collections(*list_collections(configuration))


def examine_configuration(configuration: Configuration, holder: LockHolder | None) -> Iterator[Finding]:
    """Look at settings, plugins, models and ports."""
    plugins = open_plugins(configuration)
    try:
        registry = build_registry(configuration, plugins)
    except ConfigurationError as error:
        found = f"{len(error.faults)} faults, see `agent-gateway check`"
        yield Finding(name="configuration", state="broken", found=found, cost="no gateway starts")
        yield from check_plugins(plugins.information())
        return
    yield Finding(name="configuration", state="ok", found=f"{len(registry.served)} personas to serve")
    yield from check_plugins(registry.plugins)
    yield from check_access(configuration.settings, registry)
    personas = (each.persona for each in registry.served)
    yield from check_models(configuration.settings.models, personas)
    yield from check_with_plugins(configuration, registry)
    if holder is None:
        yield from check_ports(configuration, registry)


def list_collections(configuration: Configuration) -> tuple[tuple[CollectionInfo, ...] | None, str]:
    """List the collections of a data directory, without making one; None and the reason when that cannot be done."""
    if not configuration.settings.data_dir.exists():
        return (), ""
    try:
        return asyncio.run(_list(configuration)), ""
    except GatewayError as error:
        return None, error.detail


async def _list(configuration: Configuration) -> tuple[CollectionInfo, ...]:
    async with open_administration(configuration, quiet=True) as administration:
        return await administration.collections()


def show(output: Output, found: tuple[Finding, ...]) -> None:
    """Write a line for each finding, and what it costs below it."""
    width = max(len(each.name) for each in found)
    for each in found:
        output.text(f"{each.state:<7} {each.name:<{width}}  {each.found}", style=STYLES[each.state])
        if each.cost:
            output.text(f"{'':<7} {'':<{width}}  {each.cost}", style="dim")
