"""A real gateway for the duration of a test: its own data directory, real runs, real HTTP on free ports."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from agent_gateway.client import PersonaClient
from agent_gateway.config import Configuration, PersonaEntry, Settings
from agent_gateway.errors import GatewayError, InvalidInput
from agent_gateway.events import Event
from agent_gateway.gateway import Parts
from agent_gateway.hookspecs import hookimpl
from agent_gateway.interfaces import Classifier, Knowledge, Model
from agent_gateway.messages import Answer, Tier
from agent_gateway.persona import MODEL_TIERS, Persona
from agent_gateway.plugins import Plugins
from agent_gateway.plugins.discovery import Candidate, built_in, dropped_folder, handed
from agent_gateway.plugins.dropin import import_file
from agent_gateway.registry import Registry, build_registry
from agent_gateway.server.hosting import House, open_house
from agent_gateway.testing.classifier import StaticClassifier
from agent_gateway.testing.encoder import HashingEncoder
from agent_gateway.testing.knowledge import StaticKnowledge

TIERS: tuple[Tier, ...] = (*MODEL_TIERS, "extractive")
GRACE_SECONDS = 2.0
#: Real ports are free ones; these only have to be different.
FIRST_PORT = 20_000


class GatewayClient:
    """Talks to the personas of one gateway over HTTP."""

    def __init__(self, house: House) -> None:
        self.house = house

    def url(self, persona: str) -> str:
        """Where a persona listens; `InvalidInput` when it is not served."""
        found = {each.name: each.url for each in self.house.bound.listeners if each.kind == "persona"}
        if persona not in found:
            raise InvalidInput(f"'{persona}' is not served", hint=f"served are: {', '.join(found)}")
        return found[persona]

    async def ask(self, persona: str, message: str, conversation_id: str | None = None) -> Answer:
        """Send a message and wait for the answer, whatever its status; `GatewayError` when it is refused."""
        async with PersonaClient(self.url(persona)) as client:
            return await client.ask(message, conversation_id)

    async def stream(self, persona: str, message: str, conversation_id: str | None = None) -> list[Event]:
        """Send a message and collect its events, `done` or `error` last."""
        async with PersonaClient(self.url(persona)) as client:
            return [event async for event in client.stream(message, conversation_id)]


@asynccontextmanager
async def gateway_for(
    *personas: Persona | str,
    plugins: Iterable[object] = (),
    model: Model | None = None,
    knowledge: Knowledge | None = None,
    classifier: Classifier | None = None,
    settings: Mapping[str, Any] | None = None,
) -> AsyncIterator[GatewayClient]:
    """Serve personas until the block is left.

    `personas` are objects to serve, or ids of those that `plugins` register: then only these are served. `plugins` are
    paths (a plugin's folder or file), modules or objects. `model` answers instead of the extractive floor, `knowledge`
    is empty, and `classifier` says `query`, unless given. `settings` are keys of the settings file, `plugins` and the
    like. `ConfigurationError` and `GatewayError` when anything is wrong, a plugin above all.
    """
    with tempfile.TemporaryDirectory(prefix="agent-gateway-") as folder:
        configuration = configure(Path(folder), [each for each in personas if isinstance(each, str)], settings or {})
        written = [each for each in personas if isinstance(each, Persona)]
        registry = register(configuration, [*plugins, *([WrittenPersonas(written)] if written else [])])
        parts = Parts(
            encoder=HashingEncoder(),
            classifier=classifier or StaticClassifier(),
            knowledge=knowledge or StaticKnowledge(),
            models=dict.fromkeys(TIERS, model) if model else {},
        )
        with open_house(configuration, registry, parts=parts) as house:
            async with house.served():
                yield GatewayClient(house)


class WrittenPersonas:
    """The plugin of personas that are handed over as objects."""

    def __init__(self, personas: Sequence[Persona]) -> None:
        self._personas = list(personas)

    @hookimpl
    def register_personas(self) -> list[Persona]:
        """Add them."""
        return self._personas


def configure(folder: Path, ids: Sequence[str], settings: Mapping[str, Any]) -> Configuration:
    """Make a configuration whose files are all below a folder, with the personas that are named, if any are."""
    server = {"port": 0, "grace_seconds": GRACE_SECONDS, **settings.get("server", {})}
    places = {"data_dir": folder / "data", "personas_file": folder / "personas.yaml", "plugins_dir": folder / "plugins"}
    models = {"discover": False, **settings.get("models", {})}
    entries = {name: PersonaEntry(port=FIRST_PORT + number) for number, name in enumerate(ids)}
    return Configuration(
        settings=Settings(**{**settings, **places, "server": server, "models": models}),
        entries=entries,
        only_listed=bool(entries),
        personas_file=places["personas_file"],
    )


def register(configuration: Configuration, given: Sequence[object]) -> Registry:
    """Load the plugins and settle who is served; a plugin with a fault in it is an error here."""
    plugins = Plugins([*built_in(), *candidates(given)])
    registry = build_registry(configuration, plugins)
    for info in registry.plugins:
        for error in info.errors:
            raise GatewayError(f"the plugin '{info.name}' is disabled: {error}", code="plugin_disabled")
    if not registry.served:
        raise InvalidInput("nobody is served", hint="name a persona, or give a plugin whose persona has a port")
    return registry


def candidates(given: Sequence[object]) -> Iterator[Candidate]:
    """Yield the plugins to load; objects are named by their place."""
    for number, plugin in enumerate(given):
        if isinstance(plugin, Path):
            load = partial(import_file, plugin.stem, plugin)
            single = Candidate(name=plugin.stem, source=str(plugin), load=load, dropped=True)
            yield dropped_folder(plugin.absolute()) if plugin.is_dir() else single
        else:
            yield from handed({getattr(plugin, "__name__", f"given_{number}"): plugin})
