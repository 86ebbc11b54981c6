"""Lines that a person types, or that come through a pipe, without stopping the event loop."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator


class InputLines:
    """The lines of standard input, each behind the prompt; for use in one `async for`.

    They are read in a thread that may still wait for a line when the process ends: it holds no lock that the end of
    the interpreter needs, which is why the input is read unbuffered.
    """

    def __init__(self, prompt: str) -> None:
        self._prompt = prompt
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._wanted = threading.Semaphore(0)

    async def __aiter__(self) -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, args=(loop,), name="input", daemon=True).start()
        while True:
            self._wanted.release()
            line = await self._lines.get()
            if line is None:
                return
            yield line

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as source:
            while True:
                self._wanted.acquire()
                sys.stdout.write(self._prompt)
                sys.stdout.flush()
                line = source.readline()
                text = line.decode("utf-8", "replace") if line else None
                loop.call_soon_threadsafe(self._lines.put_nowait, text)
                if text is None:
                    return
