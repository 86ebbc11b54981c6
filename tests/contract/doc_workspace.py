"""A folder as after `git clone`, with a gateway running in it, in which the commands of the documentation are typed."""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.contract.doc_pages import ROOT, Fence

#: What a reader finds in the clone and the commands use.
COPIED = ("examples", "plugins", "personas.yaml", "docs", "README.md")
#: Every port that a page may name, and those of plugins it tells to write.
PORTS = (8080, 18000, 30107, 30120, 30121, 30122, 30127, 30197, 30198, 30199)
READY_SECONDS = 150
COMMAND_SECONDS = 280

_ADDRESS = re.compile(r"\b(?:localhost|127\.0\.0\.1):(\d{4,5})\b")
_PORT = re.compile(r"--port (\d{4,5})\b")


@dataclass(frozen=True)
class Workspace:
    """A clone in `folder`, whose gateway listens on every documented port plus `offset`."""

    folder: Path
    offset: int

    def port(self, documented: int) -> int:
        """The port that stands for a documented one."""
        return documented + self.offset

    def get(self, path: str, port: int = 8080) -> bytes:
        """Fetch a path of a documented port."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port(port)}{path}", timeout=10) as response:
            body: bytes = response.read()
            return body

    def type(self, fences: Sequence[Fence]) -> subprocess.CompletedProcess[str]:
        """Type the commands of fences into one shell, which stops at the first that fails.

        Each fence is announced on standard error by its place.
        """
        lines = ["set -euo pipefail"]
        for fence in fences:
            lines += [f"echo '# {fence.place}' >&2", self.shift(fence.commands)]
        return subprocess.run(
            ["bash", "-c", "\n".join(lines)],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def shift(self, commands: str) -> str:
        """Put the real ports in the place of the documented ones."""
        shifted = _ADDRESS.sub(lambda match: f"127.0.0.1:{self.port(int(match[1]))}", commands)
        return _PORT.sub(lambda match: f"--port {self.port(int(match[1]))}", shifted)

    def environment(self) -> dict[str, str]:
        """The environment of a reader, with `agent-gateway` on the path and a curl that fails on an error status."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AGENT_GATEWAY")}
        curl = self.folder / ".curlrc"
        curl.write_text('fail-with-body\nno-progress-meter\nmax-time = 60\nnoproxy = "*"\n', encoding="utf-8")
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        quiet = {"CURL_HOME": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        # A developer's own Ollama must not answer in a test.
        return kept | quiet | {"PATH": path, "AGENT_GATEWAY__MODELS__DISCOVER": "false"}


@contextmanager
def running(folder: Path, data: Path) -> Iterator[Workspace]:
    """Copy the clone and a prepared data directory, serve in it until the block is left, and see that it ends well."""
    shutil.copytree(data, folder / "data")
    for name in COPIED:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(source, target)
    workspace = Workspace(folder, free_offset())
    with ExitStack() as stack:
        log = stack.enter_context((folder / "gateway.log").open("wb"))
        command = ["agent-gateway", "serve", "--port-offset", str(workspace.offset)]
        executable = str(Path(sys.executable).parent / command[0])
        process = subprocess.Popen(
            [executable, *command[1:]], cwd=folder, env=workspace.environment(), stdout=log, stderr=subprocess.STDOUT
        )
        stack.callback(process.kill)
        wait_until_ready(workspace, process)
        yield workspace
        process.terminate()
        assert process.wait(timeout=30) == 0, tail(workspace)


def wait_until_ready(workspace: Workspace, process: subprocess.Popen[bytes]) -> None:
    """Wait for the first 200 of `/readyz`: the example documents are ingested then."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the gateway ended:\n{tail(workspace)}"
        try:
            workspace.get("/readyz")
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the gateway is not ready after {READY_SECONDS} s:\n{tail(workspace)}")


def tail(workspace: Workspace) -> str:
    """Return the end of the gateway's log."""
    return (workspace.folder / "gateway.log").read_text(encoding="utf-8", errors="replace")[-4000:]


def free_offset() -> int:
    """Find a shift under which nobody listens on any documented port."""
    for _ in range(50):
        offset = random.randrange(1_000, 30_000)
        if all(is_free(port + offset) for port in PORTS):
            return offset
    raise AssertionError("there is no free range of ports")


def is_free(port: int) -> bool:
    """Tell whether a port of this machine can be listened on."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
