"""The compared service as a process, and the environment it runs in."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from benchmarks.connection import Connection
from benchmarks.gateway_process import CACHE, ROOT
from benchmarks.model_upstream import INSTANT

ENVIRONMENT = CACHE / "peer-venv"
PYTHON = ENVIRONMENT / "bin" / "python"
REQUIREMENTS = ROOT / "benchmarks" / "peer_service" / "requirements.txt"
DOCUMENTS = ROOT / "examples" / "homelab"
#: The same as the gateway has; first and alone, because a wheel without CUDA may be at hand for it only.
TORCH = "torch==2.13.0"
READY_SECONDS = 300.0


def set_up() -> None:
    """Make the environment anew; takes minutes."""
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, TORCH], check=True)
    subprocess.run([*pip, "--requirement", str(REQUIREMENTS)], check=True)


class PeerProcess:
    """A started service."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.port = port
        self._process = process
        self._log = log

    def cpu_seconds(self) -> float:
        """User and system time so far, in steps of 10 ms."""
        times = psutil.Process(self._process.pid).cpu_times()
        return times.user + times.system

    async def wait(self) -> None:
        """Wait until it answers; `RuntimeError` when it ends instead."""
        async with asyncio.timeout(READY_SECONDS):
            while not await self._answers():
                if self._process.poll() is not None:
                    raise RuntimeError(f"the service ended: {self._log.read_text(encoding='utf-8')[-2000:]}")
                await asyncio.sleep(0.1)

    async def _answers(self) -> bool:
        try:
            async with Connection(self.port) as connection:
                return (await connection.get("/livez"))[0] == 200
        except (ConnectionError, asyncio.IncompleteReadError):
            return False


@asynccontextmanager
async def peer_serving(model_port: int, port: int, *, classifies: bool) -> AsyncIterator[PeerProcess]:
    """A service in front of the model server; it is ready when the block begins."""
    if not PYTHON.exists():
        raise SystemExit("there is no environment for the service: run `python -m benchmarks.peer --setup`")
    # No access log and one process, as the gateway; uvloop and httptools are taken where they are installed.
    command = [str(PYTHON), "-m", "uvicorn", "--factory", "benchmarks.peer_service.app:create_app"]
    command += ["--port", str(port), "--no-access-log", "--log-level", "warning"]
    with tempfile.TemporaryDirectory(prefix="agent-gateway-benchmark-") as folder:
        told = {
            "PEER_DATABASE": str(Path(folder) / "interactions.sqlite3"),
            "PEER_DOCUMENTS": str(DOCUMENTS),
            "PEER_ADDRESS": f"http://127.0.0.1:{model_port}/v1",
            "PEER_MODEL": INSTANT,
            "PEER_CLASSIFIES": "1" if classifies else "0",
        }
        log = Path(folder) / "service.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: ASYNC220 - it is started once, before anything is measured
                command, cwd=ROOT, env={**os.environ, **told}, stdout=output, stderr=output
            )
        try:
            peer = PeerProcess(process, port, log)
            await peer.wait()
            yield peer
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait)
