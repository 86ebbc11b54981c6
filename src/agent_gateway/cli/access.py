"""A gateway to talk to: the running one, or one that this process runs for the duration of a command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from agent_gateway.cli.control import ControlClient
from agent_gateway.cli.lookup import find_gateway
from agent_gateway.cli.plugin_commands import open_registry
from agent_gateway.client import PersonaClient, Waiting, wait_until_ready
from agent_gateway.config import Configuration
from agent_gateway.logs import configure_logs
from agent_gateway.server.hosting import gateway_url, open_house


@dataclass(frozen=True)
class Reached:
    """A gateway that answers: its control socket with its token, and the address below which its personas are."""

    control: ControlClient
    url: str
    token: str = field(repr=False)

    def persona(self, name: str, api_key: str = "") -> PersonaClient:
        """Talk to a persona as the owner of an API key; without one as `local`, whom the control socket lets in."""
        base, token = (self.url, api_key) if api_key else (self.control.url, self.token)
        return PersonaClient(f"{base}/personas/{name}", token)


@asynccontextmanager
async def open_gateway(configuration: Configuration, waiting: Waiting) -> AsyncIterator[Reached]:
    """Reach the running gateway, or start one on free loopback ports until the block is left; it is ready then."""
    holder = find_gateway(configuration)
    if holder is None:
        async with borrowed_gateway(configuration, waiting) as reached:
            yield reached
        return
    await wait_until_ready(holder.control_url, waiting)
    async with ControlClient(holder.control_url, holder.token) as control:
        yield Reached(control, holder.gateway_url, holder.token)


@asynccontextmanager
async def borrowed_gateway(configuration: Configuration, waiting: Waiting) -> AsyncIterator[Reached]:
    """Start a gateway in this process; what it has to say beside errors is not shown."""
    configure_logs("error", configuration.settings.log.format)
    with open_house(configuration, open_registry(configuration)) as house:
        async with house.served(waiting), ControlClient(house.bound.control.url, house.token) as control:
            yield Reached(control, gateway_url(house.bound), house.token)
