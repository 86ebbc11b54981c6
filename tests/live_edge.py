"""The edge over real sockets in this process, and a client that can say what no HTTP library would."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

from tests.memory_gateway import MemoryGateway

from agent_gateway.api.edge import Edge, EdgeSettings
from agent_gateway.server import Bound, PortRequest, ServeOptions, Shutdown, bind, serve

PERSONA_PORTS = (
    PortRequest(name="bruno", port=0),
    PortRequest(name="mary-kay", port=0),
    PortRequest(name="gateway", port=0, kind="gateway"),
)


@dataclass(frozen=True)
class LiveEdge:
    """A served gateway; `task` ends when the server has."""

    gateway: MemoryGateway
    bound: Bound
    shutdown: Shutdown
    task: asyncio.Task[None]

    def port(self, name: str) -> int:
        """The port of a persona, of the gateway, or of the control socket."""
        return next(listener.port for listener in self.bound.listeners if listener.name == name)

    def url(self, name: str) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port(name)}"


@asynccontextmanager
async def live_edge(
    gateway: MemoryGateway | None = None, settings: EdgeSettings | None = None, options: ServeOptions | None = None
) -> AsyncIterator[LiveEdge]:
    """Serve until the block is left, then drain."""
    held = gateway if gateway is not None else MemoryGateway()
    attached = asyncio.Event()

    async def start() -> Edge:
        asyncio.get_running_loop().call_soon(attached.set)
        return held.edge(settings)

    chosen = options if options is not None else ServeOptions(grace=5)
    shutdown = Shutdown(chosen.grace)
    bound = bind("127.0.0.1", PERSONA_PORTS)
    task = asyncio.create_task(serve(bound.listeners, start, held.runs.drain, shutdown, chosen))
    live = LiveEdge(held, bound, shutdown, task)
    await attached.wait()
    await _until_attached(live)
    try:
        yield live
    finally:
        shutdown.request()
        await task
        shutdown.uninstall()


async def _until_attached(live: LiveEdge) -> None:
    while (await ask(live.port("bruno"), "GET", "/v1/persona")).status == 503:  # noqa: ASYNC110 - only the socket tells
        await asyncio.sleep(0.005)


@dataclass(frozen=True)
class RawResponse:
    """What came back, to the byte; `closed`: the server hung up after it."""

    status: int
    headers: dict[str, str]
    body: bytes
    closed: bool = field(default=False)


async def ask(port: int, method: str, path: str, body: bytes = b"", headers: str = "") -> RawResponse:
    """One request, written by hand; `headers` are whole lines, each with its end."""
    length = f"content-length: {len(body)}\r\n" if body else ""
    head = f"{method} {path} HTTP/1.1\r\nhost: test\r\n{length}{headers}\r\n"
    return await exchange(port, head.encode("latin-1") + body)


async def exchange(port: int, sent: bytes) -> RawResponse:
    """Send bytes, and read one response with a content length, or up to the end of the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        return await read_response(reader)
    finally:
        writer.close()


async def read_response(reader: asyncio.StreamReader) -> RawResponse:
    """One response of a connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    if "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    else:
        body = await reader.read()
    closed = False
    if headers.get("connection") == "close":
        with suppress(ConnectionError):  # what a server does to a client that still sends
            assert await reader.read() == b""
        closed = True
    return RawResponse(int(head[0].split()[1]), headers, body, closed)


@contextmanager
def edge_in_thread(gateway: MemoryGateway | None = None) -> Iterator[LiveEdge]:
    """Serve from another thread, for clients that block."""
    ready: Future[LiveEdge] = Future()
    leave = threading.Event()

    async def hold() -> None:
        async with live_edge(gateway) as live:
            ready.set_result(live)
            await asyncio.to_thread(leave.wait)

    thread = threading.Thread(target=asyncio.run, args=(hold(),))
    thread.start()
    try:
        yield ready.result(timeout=30)
    finally:
        leave.set()
        thread.join()
