"""The language models of a gateway: opened, warmed, looked for while there is none, and closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import structlog

from agent_gateway.completion import ModelProvider, ModelSpec
from agent_gateway.config.models import ModelsSettings
from agent_gateway.interfaces import Ledger
from agent_gateway.messages import Tier
from agent_gateway.models.completions import TieredCompletions
from agent_gateway.models.connections import Connections
from agent_gateway.models.discovery import discover
from agent_gateway.models.opening import open_chat_model
from agent_gateway.persona import Persona

#: Seconds between two looks for an Ollama while there is no model.
LOOK_EVERY = 30.0

#: The models of each tier that has any, in the order in which they are asked.
Tiers: TypeAlias = Mapping[Tier, tuple[ModelSpec, ...]]

log = structlog.get_logger(__name__)


class LanguageModels:
    """All configured models, and those of plugins' providers, by name; nothing is loaded before `start`.

    `completions` stays the same object, whatever is found later. `tell` hears of the models of each tier: of configured
    ones at once, of others when they are found. Must be made on the event loop's thread while it runs.
    """

    def __init__(
        self,
        settings: ModelsSettings,
        providers: Mapping[str, ModelProvider],
        ledger: Ledger,
        *,
        tell: Callable[[Tiers], None],
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._settings = settings
        self._look_every = look_every
        self._connections = Connections(
            lambda spec: open_chat_model(spec, providers), settings.breaker, asyncio.get_running_loop().time
        )
        self.completions = TieredCompletions(self._connections, settings.fallback, ledger, settings.daily_budget)
        self._search: asyncio.Task[None] | None = None
        self._tell = tell
        self._tiers: Tiers = {}
        self._adopt(settings.specs())

    async def find(self, address: str = "") -> None:
        """With no model configured, look once for an Ollama at `address` (its usual one by default): a moment."""
        if not self._tiers and self._settings.discover:
            await self._look(address)

    async def start(self, personas: Sequence[Persona] = (), address: str = "") -> None:
        """Load in worker threads what the models need, those of `personas` too: seconds, when LiteLLM is among it.

        With no model configured, `find` one at `address`, now and from time to time until there is one.
        """
        await self.find(address)
        own = [specs for persona in personas for specs in persona.models.values()]
        await self._connections.warm(spec for specs in (*self._tiers.values(), *own) for spec in specs)
        if self._settings.discover and not self._tiers:
            self._search = asyncio.create_task(self._look_regularly(address))

    async def close(self) -> None:
        """Stop looking and close all connections."""
        if self._search is not None:
            self._search.cancel()
            await asyncio.wait((self._search,))
        await self._connections.close()

    async def _look_regularly(self, address: str) -> None:
        while not self._tiers:
            await asyncio.sleep(self._look_every)
            await self._look(address)
        await self._connections.warm(spec for specs in self._tiers.values() for spec in specs)

    async def _look(self, address: str) -> None:
        found = await discover(address)
        if found:
            self._adopt(found)
            log.info("models_found", **{tier: specs[0].model for tier, specs in found.items()})

    def _adopt(self, tiers: Tiers) -> None:
        self._tiers = tiers
        self.completions.adopt(tiers)
        self._tell(tiers)
