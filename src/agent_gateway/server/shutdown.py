"""The end of the process: it drains when asked, and is over after the grace period whatever the loop is doing."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import threading
from collections.abc import Callable
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)
_ARM, _DISARM = b"a", b"d"


class Shutdown:
    """Turns a signal into a drain, and watches from outside the event loop that the drain ends.

    The handlers are real signal handlers, which run between two bytecodes even when a coroutine never suspends. They
    only write to a pipe and wake the loop: a thread that must be started, or a lock that must be free, could wait for
    the very code that was interrupted. `grace` is in seconds. A second signal ends the process at once.
    """

    def __init__(self, grace: float) -> None:
        self.grace = grace
        self.requested = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begin: Callable[[], None] | None = None
        self._previous: dict[int, signal.Handlers | Callable[[int, FrameType | None], object] | int | None] = {}
        self._read, self._write = os.pipe()
        self._watchdog = threading.Thread(target=self._watch, name="shutdown-watchdog", daemon=True)

    def install(self) -> None:
        """Take over SIGTERM and SIGINT, and start the watchdog; in the main thread."""
        self._watchdog.start()
        for number in SIGNALS:
            self._previous[number] = signal.signal(number, self._on_signal)

    def attach(self, loop: asyncio.AbstractEventLoop, begin: Callable[[], None]) -> None:
        """Have `begin` called on a loop when the end is requested; at once when it has been already."""
        self._loop, self._begin = loop, begin
        if self.requested:
            loop.call_soon(begin)

    def request(self) -> None:
        """Begin the end, as a first signal does."""
        if self.requested:
            return
        self.requested = True
        os.write(self._write, _ARM)
        if self._loop is not None and self._begin is not None:
            self._loop.call_soon_threadsafe(self._begin)

    def uninstall(self) -> None:
        """Give the signals back and call the watchdog off, where the process lives on."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous.clear()
        os.write(self._write, _DISARM)
        if self._watchdog.is_alive():
            self._watchdog.join()
        os.close(self._read)
        os.close(self._write)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.requested:
            os._exit(0)
        self.request()

    def _watch(self) -> None:
        if os.read(self._read, 1) == _DISARM:
            return
        if not select.select([self._read], [], [], self.grace)[0]:
            os.write(2, b"the grace period is over: ending the process\n")
            os._exit(0)
