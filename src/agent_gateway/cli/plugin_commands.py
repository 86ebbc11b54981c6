"""Commands that plugins add through `register_commands`."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from typer.main import get_command, get_group

from agent_gateway.cli.names import OWN_COMMANDS
from agent_gateway.config import Configuration, read_configuration, validate_section
from agent_gateway.errors import ConfigurationError, Fault
from agent_gateway.plugins import Plugins, attempt, load_plugins
from agent_gateway.registry import Registry, build_registry
from agent_gateway.registry.own_settings import settings_for

HOOK = "register_commands"


def load_commands() -> dict[str, Any]:
    """Load the plugins as the working folder's settings say, and return their commands by name."""
    configuration = read_configuration()
    return gather_commands(load(configuration), configuration)


def load(configuration: Configuration) -> Plugins:
    """Load the plugins that a configuration names."""
    return load_plugins(configuration.settings.plugins_dir, configuration.plugin_names)


def gather_commands(plugins: Plugins, configuration: Configuration) -> dict[str, Any]:
    """Ask every plugin for its commands; one that fails, or takes a name that is taken, is disabled.

    Commands of a plugin with wrong settings are there, and say what is wrong instead of doing anything.
    """
    commands: dict[str, Any] = {}
    for name in plugins.names:
        if not plugins.implements(name, HOOK):
            continue
        model = model_of(plugins, name)
        settings = settings_for(name, model, configuration)
        if model is not None and not settings:
            continue  # it needs settings and has none: the registry says which
        app = typer.Typer()
        _, error = plugins.call(name, HOOK, app=app, settings=settings)
        group, fault = attempt(partial(get_group, app)) if not error else (None, "")
        if group is None:
            plugins.reject(name, error or f"{HOOK}: {fault}")
            continue
        taken = sorted(command for command in group.commands if command in OWN_COMMANDS or command in commands)
        if taken:
            plugins.reject(name, f"{HOOK}: there is a command '{taken[0]}' already")
            continue
        faults = faults_of(name, model, configuration)
        commands |= {called: refusing(each, faults) if faults else each for called, each in group.commands.items()}
        plugins.note_registered(name, (f"command {command}" for command in group.commands))
    return commands


def model_of(plugins: Plugins, name: str) -> type[BaseModel] | None:
    """Return the model of a plugin's settings; None also where it is none, which the registry reports."""
    model, _ = plugins.call(name, "register_settings")
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def faults_of(name: str, model: type[BaseModel] | None, configuration: Configuration) -> tuple[Fault, ...]:
    """Find what is wrong with what was written for a plugin."""
    values = configuration.settings.plugins.get(name)
    if model is None or values is None:
        return ()
    outcome, _ = attempt(partial(validate_section, model, values, configuration.origins, ("plugins", name)))
    return outcome[1] if outcome is not None else ()


def refusing(command: Any, faults: tuple[Fault, ...]) -> Any:
    """Make a command of the same name and help that takes any arguments and raises the faults."""
    app = typer.Typer()

    @app.command(command.name, help=command.help, context_settings={"ignore_unknown_options": True})
    def refuse(given: Annotated[list[str] | None, typer.Argument(hidden=True)] = None) -> None:
        del given
        raise ConfigurationError(faults)

    return get_command(app)


def open_plugins(configuration: Configuration) -> Plugins:
    """Load the plugins and try their commands, so that every command sees the same ones disabled."""
    plugins = load(configuration)
    gather_commands(plugins, configuration)
    return plugins


def open_registry(configuration: Configuration) -> Registry:
    """Load the plugins and settle who is served; `ConfigurationError` with all faults."""
    return build_registry(configuration, open_plugins(configuration))
