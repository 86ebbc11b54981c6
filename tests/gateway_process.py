"""Real gateway processes in folders like a clone; one of them prepares a data directory that all tests copy."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from tests.contract.doc_workspace import free_offset

ROOT = Path(__file__).resolve().parent.parent
#: What a gateway with the example documents needs of the repository.
SERVED = ("examples", "plugins", "personas.yaml")
READY_SECONDS = 170


class GatewayProcess:
    """`agent-gateway serve` in a folder, on ports of its own; `start` may be called again after `kill` or `stop`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.offset = free_offset()
        self.addresses: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process's id; it must be running."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Serve, and return when it is ready to answer."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AGENT_GATEWAY")}
        # A developer's own Ollama must not answer in a test.
        kept["AGENT_GATEWAY__MODELS__DISCOVER"] = "false"
        command = [sys.executable, "-m", "agent_gateway", "serve", "--json", "--port-offset", str(self.offset)]
        with (self.folder / "gateway.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env=kept, stdout=subprocess.PIPE, stderr=log, start_new_session=True
            )
        assert self._process.stdout is not None
        text = ""
        while not text.endswith("}\n}\n"):
            line = self._process.stdout.readline()
            assert line, f"the gateway ended:\n{self.log()}"
            text += line.decode()
        self.addresses = json.loads(text)["addresses"]
        self._wait_until_ready()

    def kill(self) -> None:
        """End it without a warning, and everything it started."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end; returns its exit code."""
        return self._end(signal.SIGTERM)

    def log(self) -> str:
        """The end of its log."""
        return (self.folder / "gateway.log").read_text(encoding="utf-8", errors="replace")[-4000:]

    def _end(self, sign: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        if sign is signal.SIGKILL:
            # The group is its own: encoder processes go with it.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, sign)
        else:
            process.send_signal(sign)
        code = process.wait(timeout=30)
        assert process.stdout is not None
        process.stdout.close()
        return code

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        with httpx.Client(base_url=self.addresses["gateway"], trust_env=False, timeout=10) as client:
            while client.get("/readyz").status_code != 200:
                assert time.monotonic() < deadline, f"not ready after {READY_SECONDS} s:\n{self.log()}"
                time.sleep(0.05)


@contextmanager
def serving(folder: Path) -> Iterator[GatewayProcess]:
    """Serve in a folder; when the block is left the gateway is asked to end, and has to end well."""
    gateway = GatewayProcess(folder)
    try:
        gateway.start()
        yield gateway
        assert gateway.stop() == 0, gateway.log()
    finally:
        gateway.kill()


def prepare_clone(folder: Path) -> Path:
    """Make a folder as after `git clone` and one start: documents ingested, query encoder exported. Takes a minute."""
    for name in SERVED:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy2(source, target)
    with serving(folder):
        pass
    return folder


def copy_clone(prepared: Path, folder: Path) -> Path:
    """Copy a prepared folder; times are kept, so that no document looks changed."""
    return Path(shutil.copytree(prepared, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("gateway.log")))
