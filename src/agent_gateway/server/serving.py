"""One uvicorn server for all sockets: answers at once, loads what is heavy behind that, drains at the end."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import structlog
import uvicorn
import uvloop

from agent_gateway.api.edge import Apps, Edge
from agent_gateway.api.front import Door, Front
from agent_gateway.api.streams import Streams
from agent_gateway.interfaces import Readiness
from agent_gateway.server.protocol import ConnectionLimits, guarded
from agent_gateway.server.shutdown import Shutdown
from agent_gateway.server.sockets import BACKLOG, Listener

Start: TypeAlias = Callable[[], Awaitable[Edge]]
Drain: TypeAlias = Callable[[float], Awaitable[None]]

#: The part of the grace period that running turns get, and that after which nobody waits for them any more.
DRAIN_SHARE, PATIENCE_SHARE = 0.7, 0.85

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """`grace`: seconds from the signal to the end. `keep_alive`: seconds an idle connection is kept.

    `readiness`: what `/readyz` shows while `start` is still at work, if something is known that early.
    """

    grace: float = 10.0
    keep_alive: int = 30
    limits: ConnectionLimits = field(default_factory=ConnectionLimits)
    readiness: Readiness | None = None


def run(listeners: Sequence[Listener], start: Start, drain: Drain, options: ServeOptions | None = None) -> None:
    """Serve until SIGTERM or SIGINT, in the main thread; returns after the drain.

    The watchdog stays armed: whatever still hangs in the interpreter's own end is cut off by it, with exit code 0.
    """
    chosen = options or ServeOptions()
    shutdown = Shutdown(chosen.grace)
    shutdown.install()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(listeners, start, drain, shutdown, chosen))


async def serve(
    listeners: Sequence[Listener], start: Start, drain: Drain, shutdown: Shutdown, options: ServeOptions | None = None
) -> None:
    """Serve the sockets until `shutdown` is requested.

    `/livez` answers before `start` is called; `start` makes the edge, and `drain` gets the seconds that running turns
    have left. What `start` raises ends the server and is raised here.
    """
    chosen = options or ServeOptions()
    stop = asyncio.Event()
    shutdown.attach(asyncio.get_running_loop(), stop.set)
    doors = {listener.port: Door(listener.kind, _persona(listener)) for listener in listeners}
    front, streams = Front(doors, chosen.readiness), Streams()
    server = _Server(_configure(front, chosen))
    serving = asyncio.create_task(server.serve([listener.socket for listener in listeners]))
    await _first(serving, server.listening.wait())
    ports = {listener.name: listener.port for listener in listeners if listener.kind == "persona"}
    starting = asyncio.create_task(_attach(front, streams, start, ports))
    try:
        await _first(serving, starting, stop.wait())
        await _first(serving, stop.wait())
    finally:
        try:
            await _finish(front, streams, starting, drain, chosen.grace)
        finally:
            server.end(chosen.grace)
            await serving


async def _first(*waited: asyncio.Task[None] | Coroutine[Any, Any, object]) -> None:
    """Return when the first of these is done, raising what it raised; tasks go on, coroutines are cancelled."""
    own = [asyncio.create_task(one) for one in waited if not isinstance(one, asyncio.Task)]
    tasks = [one for one in waited if isinstance(one, asyncio.Task)]
    try:
        done, _ = await asyncio.wait([*own, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in own:
            task.cancel()
    for task in done:
        task.result()


async def _attach(front: Front, streams: Streams, start: Start, ports: dict[str, int]) -> None:
    edge = dataclasses.replace(await start(), ports=ports)
    front.attach(await asyncio.to_thread(_build, edge, streams), edge.readiness)
    _log.info("attached", personas=sorted(edge.personas))


def _build(edge: Edge, streams: Streams) -> Apps:
    from agent_gateway.api.apps import build_apps  # noqa: PLC0415 - litestar is not to be waited for by /livez

    return build_apps(edge, streams)


async def _finish(front: Front, streams: Streams, starting: asyncio.Task[None], drain: Drain, grace: float) -> None:
    """Refuse new work, end the streams, and let the running turns end."""
    _log.info("draining", grace_seconds=grace)
    front.drain()
    streams.stop()
    if not starting.done():
        starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    try:
        async with asyncio.timeout(grace * PATIENCE_SHARE):
            await drain(grace * DRAIN_SHARE)
    except TimeoutError:
        _log.warning("drain_cut_short", seconds=grace * PATIENCE_SHARE)


def _persona(listener: Listener) -> str:
    return listener.name if listener.kind == "persona" else ""


def _configure(front: Front, options: ServeOptions) -> uvicorn.Config:
    return uvicorn.Config(
        front,
        loop="none",
        http=guarded(options.limits),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=options.keep_alive,
    )


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers, which would replace ours; `listening` is set when it accepts."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self.listening.set()

    def end(self, grace: float) -> None:
        """Close what is idle at once, and what is not after the rest of the grace period."""
        self.config.timeout_graceful_shutdown = max(1, int(grace * (1 - PATIENCE_SHARE)))
        self.should_exit = True
