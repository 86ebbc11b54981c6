"""Commands that plugins add through `register_commands`."""

from __future__ import annotations

from functools import partial
from typing import Any

import typer
from typer.main import get_group

from agent_gateway.cli.names import OWN_COMMANDS
from agent_gateway.config import Configuration, read_configuration
from agent_gateway.plugins import Plugins, attempt, load_plugins
from agent_gateway.registry import Registry, build_registry

HOOK = "register_commands"


def load_commands() -> dict[str, Any]:
    """Load the plugins as the working folder's settings say, and return their commands by name."""
    return gather_commands(load(read_configuration()))


def load(configuration: Configuration) -> Plugins:
    """Load the plugins that a configuration names."""
    return load_plugins(configuration.settings.plugins_dir, configuration.plugin_names)


def gather_commands(plugins: Plugins) -> dict[str, Any]:
    """Ask every plugin for its commands; one that fails, or takes a name that is taken, is disabled."""
    commands: dict[str, Any] = {}
    for name in plugins.names:
        if not plugins.implements(name, HOOK):
            continue
        app = typer.Typer()
        _, error = plugins.call(name, HOOK, app=app)
        group, fault = attempt(partial(get_group, app)) if not error else (None, "")
        if group is None:
            plugins.reject(name, error or f"{HOOK}: {fault}")
            continue
        taken = sorted(command for command in group.commands if command in OWN_COMMANDS or command in commands)
        if taken:
            plugins.reject(name, f"{HOOK}: there is a command '{taken[0]}' already")
            continue
        commands |= group.commands
        plugins.note_registered(name, (f"command {command}" for command in group.commands))
    return commands


def open_plugins(configuration: Configuration) -> Plugins:
    """Load the plugins and try their commands, so that every command sees the same ones disabled."""
    plugins = load(configuration)
    gather_commands(plugins)
    return plugins


def open_registry(configuration: Configuration) -> Registry:
    """Load the plugins and settle who is served; `ConfigurationError` with all faults."""
    return build_registry(configuration, open_plugins(configuration))
