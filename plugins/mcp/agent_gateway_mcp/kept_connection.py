"""A connection that is kept: one task opens it, holds it, and closes it, as the SDK asks for."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from .connection import Connected, connect, tell
from .settings import ServerSettings

#: Longer than a command is given to end, before it is made to.
_END_SECONDS = 8.0


class KeptConnection:
    """An open connection; `calls` is how many are under way on it."""

    def __init__(self, name: str, server: ServerSettings) -> None:
        self.calls = 0
        self._name = name
        self._server = server
        self._closing = asyncio.Event()
        self._opened: asyncio.Future[Connected] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._hold())
        self._task.add_done_callback(_look_at)

    @property
    def connected(self) -> Connected:
        """The connection, once `wait_until_open` has returned."""
        return self._opened.result()

    @property
    def over(self) -> bool:
        """Whether it has ended by itself."""
        return self._task.done()

    async def wait_until_open(self) -> None:
        """`GatewayError` when it cannot be opened; whoever stops waiting has it closed."""
        awaited: set[asyncio.Future[Any]] = {self._task, self._opened}
        try:
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._closing.set()
            raise
        if not self._opened.done():
            raise tell(self._name, self._task.exception() or ConnectionError("nothing"))

    def end(self) -> None:
        """Have it closed, and the command behind it ended, without waiting for that."""
        self._closing.set()

    async def close(self) -> None:
        """Close it, and wait until that is done."""
        self.end()
        await asyncio.wait({self._task}, timeout=_END_SECONDS)

    async def _hold(self) -> None:
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self._server.timeout_seconds):
                connected = await stack.enter_async_context(connect(self._name, self._server))
            self._opened.set_result(connected)
            await self._closing.wait()


def _look_at(task: asyncio.Task[None]) -> None:
    """Take notice of how the task ended: a connection that breaks is told to whoever uses it next."""
    if not task.cancelled():
        task.exception()
