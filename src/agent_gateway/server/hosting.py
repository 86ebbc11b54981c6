"""A gateway with its lock and its sockets, served by this process: for good, or inside another program's loop."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from agent_gateway.client import Waiting, wait_until_ready
from agent_gateway.config import Configuration
from agent_gateway.errors import InvalidInput
from agent_gateway.gateway import Gateway, Parts
from agent_gateway.knowledge.lock import DataLock
from agent_gateway.redaction import known_secrets
from agent_gateway.registry import Registry, held_secrets
from agent_gateway.server.protocol import ConnectionLimits
from agent_gateway.server.serving import ServeOptions, run, serve
from agent_gateway.server.shutdown import Shutdown
from agent_gateway.server.sockets import Bound, PortRequest, bind

HIGHEST_PORT = 65_535


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where to listen. `port_offset` shifts every port; None takes free ones instead."""

    host: str = "127.0.0.1"
    port_offset: int | None = None
    insecure: bool = False


@dataclass(frozen=True)
class House:
    """A gateway that holds its data directory and its ports, not yet answering."""

    gateway: Gateway
    bound: Bound
    token: str
    options: ServeOptions

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; in the main thread."""
        run(self.bound.listeners, self.gateway.start, self.gateway.drain, self.options)

    @asynccontextmanager
    async def served(self, waiting: Waiting = lambda _: None) -> AsyncIterator[None]:
        """Serve inside the running loop until the block is left, and be ready when it begins.

        `waiting` is told what is not ready yet. Raises what kept the gateway from starting.
        """
        shutdown = Shutdown(self.options.grace)
        serving = serve(self.bound.listeners, self.gateway.start, self.gateway.drain, shutdown, self.options)
        task = asyncio.create_task(serving)
        ready = asyncio.create_task(wait_until_ready(self.bound.control.url, waiting))
        try:
            await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await ready
                yield
        finally:
            ready.cancel()
            await asyncio.gather(ready, return_exceptions=True)
            shutdown.request()
            try:
                await task
            finally:
                shutdown.uninstall()


@contextmanager
def open_house(
    configuration: Configuration, registry: Registry, placement: Placement | None = None, parts: Parts | None = None
) -> Iterator[House]:
    """Lock the data directory and bind every port, then make the gateway; all is given back at the end.

    `Conflict` (code `data_locked`) when another process writes the data directory, `GatewayError` as `bind` says.
    """
    placement = placement or Placement()
    token = secrets.token_urlsafe(32)
    settings = configuration.settings
    with DataLock(settings.data_dir) as lock:
        requests = port_requests(registry, settings.server.port, placement.port_offset)
        authenticated = settings.auth.configured
        bound = bind(placement.host, requests, insecure=placement.insecure, authenticated=authenticated)
        secrets_held = (token, *held_secrets(registry.settings))
        known_secrets.register(*secrets_held)
        try:
            lock.publish(bound.control.url, token, gateway_url(bound))
            gateway = Gateway(configuration, without_ports(registry, bound), parts, control_token=token)
            limits = ConnectionLimits(header_seconds=settings.server.header_timeout_seconds)
            options = ServeOptions(grace=settings.server.grace_seconds, limits=limits, readiness=gateway.readiness)
            yield House(gateway, bound, token, options)
        finally:
            bound.close()
            known_secrets.release(*secrets_held)


def port_requests(registry: Registry, gateway_port: int, offset: int | None) -> tuple[PortRequest, ...]:
    """List the ports of the gateway and of everybody who is served."""
    return (
        PortRequest(name="gateway", port=shift(gateway_port, offset), kind="gateway"),
        *(
            PortRequest(name=each.persona.id, port=shift(each.persona.port, offset), optional=not each.listed)
            for each in registry.served
        ),
    )


def shift(port: int, offset: int | None) -> int:
    """Move a port; 0, any free one, stays. `InvalidInput` when there is no such port."""
    if offset is None or port == 0:
        return 0
    if not 0 < port + offset <= HIGHEST_PORT:
        raise InvalidInput(f"port {port} shifted by {offset} is no port", hint=f"ports go from 1 to {HIGHEST_PORT}")
    return port + offset


def gateway_url(bound: Bound) -> str:
    """Where the gateway itself listens."""
    return next(listener.url for listener in bound.listeners if listener.kind == "gateway")


def without_ports(registry: Registry, bound: Bound) -> Registry:
    """Disable the plugins whose personas' own ports could not be had."""
    owners = {each.persona.id: each.plugin for each in registry.served}
    for persona, error in bound.failures.items():
        registry = registry.without(owners[persona], f"persona '{persona}': {error.detail}")
    return registry
