"""`check`: every fault at once."""

from __future__ import annotations

import typer

from agent_gateway.cli.access_findings import warn_of_exposure
from agent_gateway.cli.failures import ExitCode
from agent_gateway.cli.output import Output
from agent_gateway.cli.plugin_commands import open_plugins
from agent_gateway.config import Configuration
from agent_gateway.errors import ConfigurationError, Fault
from agent_gateway.plugins import PluginInfo
from agent_gateway.registry import UnservedPersona, build_registry


def check_all(configuration: Configuration, *, as_json: bool) -> None:
    """Show the faults of settings, personas.yaml and plugins; ends with exit code 1 if there are any."""
    plugins = open_plugins(configuration)
    faults: tuple[Fault, ...] = ()
    unserved: tuple[UnservedPersona, ...] = ()
    try:
        unserved = build_registry(configuration, plugins).unserved
    except ConfigurationError as error:
        faults = error.faults
    broken = tuple(each for each in plugins.information() if not each.enabled)
    output = Output(as_json=as_json)
    if warning := warn_of_exposure(configuration.settings):
        output.warn(warning)
    if as_json:
        right = not faults and not broken
        output.document({"ok": right, "faults": faults, "plugins": broken, "not_served": unserved})
    else:
        show(output, faults, broken, unserved)
    if faults or broken:
        raise typer.Exit(ExitCode.FAILED)


def show(
    output: Output, faults: tuple[Fault, ...], broken: tuple[PluginInfo, ...], unserved: tuple[UnservedPersona, ...]
) -> None:
    """Write what is wrong, one fault a line."""
    for fault in faults:
        output.text(str(fault), style="red")
    for plugin in broken:
        for error in plugin.errors:
            output.text(f"{plugin.source}: plugin {plugin.name} is disabled: {error}", style="red")
    for persona in unserved:
        output.text(f"note: the persona {persona.id} is not served: {persona.reason}", style="dim")
    if not faults and not broken:
        output.text("Everything fits together.")
