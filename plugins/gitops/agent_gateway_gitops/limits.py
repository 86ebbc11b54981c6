"""Work of one repository: in a thread of its own, one piece after the other, each for a bounded time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import agent_gateway as ag

T = TypeVar("T")


class Limit:
    """The time a piece of work has. Nobody waits any more once it is stopped, and then nothing may be changed."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let the work end at its next check."""
        self._stopped.set()

    def check(self) -> None:
        """`Unavailable` when the time is over."""
        if self._stopped.is_set() or time.monotonic() > self._end:
            raise ag.Unavailable(f"the repository did not answer within {self._seconds:g} s", code="git_timeout")


class Worker:
    """The one thread of a repository."""

    def __init__(self, name: str, seconds: float) -> None:
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"git-{name}")

    async def run(self, work: Callable[[Limit], T]) -> T:
        """Run work after what was asked for before; when the caller is cancelled it stops at its next check."""
        limit = Limit(self._seconds)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, limit)
        except asyncio.CancelledError:
            limit.stop()
            raise

    def close(self) -> None:
        """Drop what has not begun."""
        self._threads.shutdown(wait=False, cancel_futures=True)
