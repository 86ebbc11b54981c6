"""A real `agent-gateway serve` on a data directory that is prepared once: documents ingested, encoder exported.

Light on purpose: what this process maps into memory would be shared with the gateway and make it look smaller.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.connection import Connection

ROOT = Path(__file__).parent.parent
CACHE = Path(os.environ.get("AGENT_GATEWAY_BENCHMARK_CACHE", "/tmp/agent-gateway-benchmarks"))
#: Ports before they are shifted: the gateway's, those of the personas, and one for a persona that a benchmark adds.
GATEWAY, BRUNO, AUDITOR, JAMIE, MARY_KAY, ECHO, ADDED = 8080, 30120, 30121, 30122, 30127, 30107, 30140
_PORTS = (GATEWAY, BRUNO, AUDITOR, JAMIE, MARY_KAY, ECHO, ADDED)
READY_SECONDS, STOP_SECONDS = 600.0, 20.0
_POLL_SECONDS = 0.005
_PREPARED = "prepared"


@dataclass(frozen=True, kw_only=True)
class Served:
    """Whom a gateway serves: a personas.yaml and a folder of plugins."""

    personas: Path = ROOT / "personas.yaml"
    plugins: Path = ROOT / "plugins"

    @property
    def digest(self) -> str:
        """Changes with the personas and their documents, so that nothing stale is measured."""
        state = hashlib.sha256(self.personas.read_bytes())
        for path in sorted((ROOT / "examples").rglob("*")):
            if path.is_file():
                state.update(path.read_bytes())
        return state.hexdigest()[:12]


@dataclass(frozen=True)
class Memory:
    """Megabytes of a gateway and its child processes; `rss` counts pages whole that other programs share."""

    pss: float
    rss: float


class GatewayProcess:
    """A started gateway; `begun` is when, on the clock of `time.perf_counter`."""

    def __init__(self, process: subprocess.Popen[bytes], offset: int, log: Path, begun: float) -> None:
        self.begun = begun
        self._process = process
        self._offset = offset
        self._log = log

    def port(self, unshifted: int) -> int:
        """Where what listens on a port of this module really does."""
        return unshifted + self._offset

    async def wait(self, path: str = "/readyz", unshifted: int = GATEWAY) -> float:
        """Seconds from the start until a GET is answered with 200."""
        async with asyncio.timeout(READY_SECONDS):
            while not await self._answers(self.port(unshifted), path):
                self._check()
                await asyncio.sleep(_POLL_SECONDS)
        return time.perf_counter() - self.begun

    def memory(self) -> Memory:
        """What the gateway holds now."""
        process = psutil.Process(self._process.pid)
        all_ = [each.memory_full_info() for each in (process, *process.children(recursive=True))]
        return Memory(sum(each.pss for each in all_) / 2**20, sum(each.rss for each in all_) / 2**20)

    def cpu_seconds(self) -> float:
        """User and system time of the gateway so far, in steps of 10 ms."""
        times = psutil.Process(self._process.pid).cpu_times()
        return times.user + times.system

    async def stop(self) -> None:
        """End it as a user would."""
        self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(self._process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise RuntimeError(f"the gateway did not end: {self._tail()}") from None

    async def _answers(self, port: int, path: str) -> bool:
        try:
            async with Connection(port) as connection:
                return (await connection.get(path))[0] == 200
        except (ConnectionError, asyncio.IncompleteReadError):
            return False

    def _check(self) -> None:
        if self._process.poll() is not None:
            raise RuntimeError(f"the gateway ended: {self._tail()}")

    def _tail(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-2000:]


@asynccontextmanager
async def started(data_dir: Path, served: Served | None = None) -> AsyncIterator[GatewayProcess]:
    """Start a gateway on a data directory, not waiting for it; stop it at the end."""
    chosen = served or Served()
    offset, log = find_offset(), data_dir / "serve.log"
    arguments = ["serve", "--data-dir", str(data_dir), "--personas-file", str(chosen.personas)]
    command = [sys.executable, "-m", "agent_gateway", *arguments, "--port-offset", str(offset)]
    environment = {**os.environ, "AGENT_GATEWAY__PLUGINS_DIR": str(chosen.plugins)}
    environment.setdefault("AGENT_GATEWAY__MODELS__DISCOVER", "false")
    with log.open("wb") as output:
        begun = time.perf_counter()
        process = subprocess.Popen(  # noqa: ASYNC220 - it is started once, before anything else runs
            command, stdout=output, stderr=output, env=environment, cwd=ROOT
        )
    gateway = GatewayProcess(process, offset, log, begun)
    try:
        yield gateway
    finally:
        await gateway.stop()


@asynccontextmanager
async def ready(served: Served | None = None) -> AsyncIterator[GatewayProcess]:
    """Serve from a copy of the prepared data directory; it is ready when the block begins."""
    with copy_of(await prepare(served)) as data_dir:
        async with started(data_dir, served) as gateway:
            await gateway.wait()
            yield gateway


async def prepare(served: Served | None = None) -> Path:
    """A data directory with everything ingested and cached, made when missing (a minute or two)."""
    folder = CACHE / f"gateway-{(served or Served()).digest}"
    if not (folder / _PREPARED).exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        async with started(folder, served) as gateway:
            await gateway.wait()
        (folder / _PREPARED).touch()
    return folder


@contextmanager
def copy_of(data_dir: Path) -> Iterator[Path]:
    """A copy that may be written, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="agent-gateway-benchmark-") as folder:
        yield Path(shutil.copytree(data_dir, Path(folder) / "data"))


def find_offset(ports: Sequence[int] = _PORTS) -> int:
    """An offset under which all ports are free now."""
    for offset in random.sample(range(1000, 30_000), 200):
        if all(_is_free(port + offset) for port in ports):
            return offset
    raise RuntimeError("no offset leaves every port free")


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
