"""Asks each plugin what it registers and checks that by itself; a plugin with a fault in it is disabled."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from agent_gateway.completion import ModelProvider
from agent_gateway.config import Configuration
from agent_gateway.errors import InvalidInput
from agent_gateway.hookspecs import Check, DocumentFolder
from agent_gateway.intent import IntentDefinition, IntentExample
from agent_gateway.persona import Persona
from agent_gateway.plugins import Plugins
from agent_gateway.registry.documents import RegisteredFolder, settle_folder
from agent_gateway.registry.examples import read_examples, settle_intent
from agent_gateway.registry.own_settings import settings_for
from agent_gateway.registry.personas import settle_persona
from agent_gateway.registry.providers import settle_provider
from agent_gateway.registry.tools import settle_tool
from agent_gateway.tool import Tool

Kind = TypeVar("Kind")


@dataclass
class Contribution:
    """What one plugin registers. `told` is false when it failed before naming its personas.

    Documents of `personas` are still as written, relative to `folder`.
    """

    plugin: str
    folder: Path
    told: bool = False
    personas: tuple[Persona, ...] = ()
    intents: dict[str, IntentDefinition] = field(default_factory=dict)
    examples: dict[str, tuple[IntentExample, ...]] = field(default_factory=dict)
    tools: dict[str, Tool] = field(default_factory=dict)
    providers: dict[str, ModelProvider] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    knowledge: tuple[RegisteredFolder, ...] = ()
    settings: type[BaseModel] | None = None

    def summary(self) -> tuple[str, ...]:
        """List what was registered, as `agent-gateway plugins` shows it."""
        return (
            *(f"persona {persona.id}" for persona in self.personas),
            *(f"intent {name}" for name in self.intents),
            *(f"tool {name}" for name in self.tools),
            *(f"models of {name}" for name in self.providers),
            *(f"check {each.name}" for each in self.checks),
            *(f"documents {each.label} -> {each.collection}" for each in self.knowledge),
            *(["settings"] if self.settings else []),
        )


def gather(plugins: Plugins, configuration: Configuration) -> tuple[Contribution, ...]:
    """Call the registering hooks of every plugin; one that fails is rejected, and what it had told is kept."""
    contributions = [Contribution(plugin=name, folder=plugins.folder(name)) for name in plugins.broken]
    for name in plugins.names:
        contribution = Contribution(plugin=name, folder=plugins.folder(name))
        contributions.append(contribution)
        try:
            ask(plugins, contribution, configuration)
        except InvalidInput as exc:
            plugins.reject(name, exc.detail)
    return tuple(contributions)


def ask(plugins: Plugins, contribution: Contribution, configuration: Configuration) -> None:
    """Fill in a plugin's contribution; raises `InvalidInput` at the first thing that is wrong."""
    name = contribution.plugin
    contribution.personas = tuple(
        settle_persona(each) for each in listed(call(plugins, name, "register_personas"), Persona, "register_personas")
    )
    contribution.told = True
    contribution.settings = as_model(call(plugins, name, "register_settings"))
    settings = settings_for(name, contribution.settings, configuration)
    for given in listed(call(plugins, name, "register_tools", settings=settings), Tool, "register_tools"):
        settle_tool(given)
        if given.name in contribution.tools:
            raise InvalidInput(f"tool '{given.name}' is registered twice")
        contribution.tools[given.name] = given
    contribution.checks = listed(call(plugins, name, "register_checks", settings=settings), Check, "register_checks")
    ask_knowledge(plugins, contribution)


def ask_knowledge(plugins: Plugins, contribution: Contribution) -> None:
    """Fill in what a plugin adds to understanding and answering: models, intents, documents."""
    name, folder = contribution.plugin, contribution.folder
    for provider in listed(call(plugins, name, "register_models"), ModelProvider, "register_models"):
        settle_provider(provider)
        if provider.name in contribution.providers:
            raise InvalidInput(f"the models of '{provider.name}' are registered twice")
        contribution.providers[provider.name] = provider
    for each in listed(call(plugins, name, "register_intents"), IntentDefinition, "register_intents"):
        intent = settle_intent(each, folder)
        if intent.name in contribution.intents:
            raise InvalidInput(f"intent '{intent.name}' is registered twice")
        contribution.intents[intent.name] = intent
        contribution.examples[intent.name] = read_examples(intent.examples)
    contribution.knowledge = tuple(
        settle_folder(each, folder, name)
        for each in listed(call(plugins, name, "register_knowledge"), DocumentFolder, "register_knowledge")
    )


def call(plugins: Plugins, name: str, hook: str, **arguments: Any) -> Any:
    """Call a plugin's hook; raises `InvalidInput` with what it raised."""
    result, error = plugins.call(name, hook, **arguments)
    if error:
        raise InvalidInput(error)
    return result


def listed(result: Any, kind: type[Kind], hook: str) -> tuple[Kind, ...]:
    """Check that a hook returned a list of one kind of thing, or nothing."""
    if result is None:
        return ()
    if not isinstance(result, list | tuple):
        raise InvalidInput(f"{hook}: must return a list of {kind.__name__}, not {type(result).__name__}")
    for item in result:
        if not isinstance(item, kind):
            raise InvalidInput(f"{hook}: must return a list of {kind.__name__}, one item is {type(item).__name__}")
    return tuple(result)


def as_model(result: Any) -> type[BaseModel] | None:
    """Check that register_settings returned a pydantic model class, or nothing."""
    if result is None or (isinstance(result, type) and issubclass(result, BaseModel)):
        return result
    raise InvalidInput("register_settings: must return a pydantic.BaseModel class")
