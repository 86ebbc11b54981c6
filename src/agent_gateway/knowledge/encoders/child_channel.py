"""Frames to and from a child process, over blocking pipes in worker threads.

Not asyncio's subprocesses: uvloop forks this process with its fork handlers, which LanceDB must not see once it is
open, while `subprocess` starts the child without them.
"""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections import deque
from collections.abc import Sequence

from agent_gateway.knowledge.encoders.wire import LENGTH_BYTES

_ERROR_LINES = 20


class ChildChannel:
    """A running child process. `EOFError` or `OSError` when it is gone."""

    def __init__(self, command: Sequence[str]) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)  # noqa: S603 - our own module
        self._errors: deque[str] = deque(maxlen=_ERROR_LINES)
        self._reader = threading.Thread(target=self._keep_errors, name="encoder-errors", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    @property
    def last_error(self) -> str:
        """The last line the child wrote to its standard error, if any."""
        return self._errors[-1] if self._errors else ""

    async def exchange(self, request: bytes) -> bytes:
        """Send one frame and wait for the body of the answer's."""
        return await asyncio.to_thread(self._exchange, request)

    def kill(self) -> None:
        """End the process; an exchange under way fails."""
        self._process.kill()

    async def close(self) -> None:
        """End the process and give everything back."""
        self.kill()
        await asyncio.to_thread(self._finish)

    def _exchange(self, request: bytes) -> bytes:
        assert self._process.stdin is not None
        self._process.stdin.write(request)
        self._process.stdin.flush()
        return self._read(int.from_bytes(self._read(LENGTH_BYTES), "big"))

    def _read(self, size: int) -> bytes:
        assert self._process.stdout is not None
        data = self._process.stdout.read(size)
        if len(data) < size:
            raise EOFError("the process ended")
        return data

    def _keep_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._errors.append(line[:1000].decode("utf-8", "replace").strip())

    def _finish(self) -> None:
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    continue  # what was left to write has nobody to read it
