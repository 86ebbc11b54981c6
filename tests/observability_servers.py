"""Real processes on free ports of loopback: Prometheus, which scrapes node-exporter and itself, and our MCP server."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

PLUGINS = Path(__file__).resolve().parent.parent / "plugins"
_PROMETHEUS = "prometheus"
_EXPORTER = "prometheus-node-exporter"
_SECONDS = 30
#: What is read of the machine: little, and there everywhere.
_COLLECTORS = ("loadavg", "meminfo", "time")
_CONFIG = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: node
    static_configs: [{{targets: ['127.0.0.1:{exporter}'], labels: {{rack: attic}}}}]
  - job_name: prometheus
    static_configs: [{{targets: ['127.0.0.1:{prometheus}']}}]
  - job_name: gone
    static_configs: [{{targets: ['127.0.0.1:{nobody}']}}]
"""


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on, each another one."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in sockets]


@contextmanager
def running_prometheus(folder: Path) -> Iterator[str]:
    """The address of a Prometheus with the jobs `node`, `prometheus` and `gone`, whose target nobody serves.

    Returns when each was scraped twice. Skips the test where one of the two programs is missing.
    """
    for program in (_PROMETHEUS, _EXPORTER):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program}; Debian's package of this name has it")
    exporter, prometheus, nobody = free_ports(3)
    config = folder / "prometheus.yml"
    config.write_text(_CONFIG.format(exporter=exporter, prometheus=prometheus, nobody=nobody), encoding="utf-8")
    address = f"http://127.0.0.1:{prometheus}"
    collectors = [f"--collector.{each}" for each in _COLLECTORS]
    listen = f"--web.listen-address=127.0.0.1:{exporter}"
    stored = [
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{prometheus}",
    ]
    with (
        _process(folder, [_EXPORTER, "--collector.disable-defaults", *collectors, listen]),
        _process(folder, [_PROMETHEUS, *stored]) as log,
    ):
        _wait(address, log)
        yield address


@contextmanager
def running_mcp_server(folder: Path, settings: Mapping[str, Any], **variables: str) -> Iterator[str]:
    """The address of `agent-gateway mcp-observability` in a folder; asked to end, it must end well."""
    (folder / "plugins").symlink_to(PLUGINS)
    # JSON is YAML.
    (folder / "agent-gateway.yaml").write_text(json.dumps({"plugins": {"observability": settings}}), encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AGENT_GATEWAY")}
    command = [sys.executable, "-m", "agent_gateway", "mcp-observability", "--port", "0"]
    log = folder / "mcp.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, cwd=folder, env={**kept, "AGENT_GATEWAY_PLUGINS": "observability", **variables},
            stdout=subprocess.PIPE, stderr=said, text=True,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:"), log.read_text(encoding="utf-8")
        yield address
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) in {0, -signal.SIGTERM}, log.read_text(encoding="utf-8")
        assert log.read_text(encoding="utf-8") == ""
    finally:
        process.kill()
        process.communicate()


@contextmanager
def _process(folder: Path, command: Sequence[str]) -> Iterator[Path]:
    """Run a program until the block is left; gives the file of what it says."""
    path = folder / f"{command[0]}.log"
    with path.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        yield path
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)


def _wait(address: str, log: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    query = {"query": "count(count_over_time(up[1m]) >= 2)"}
    with httpx.Client(base_url=address, trust_env=False, timeout=5) as client:
        while True:
            try:
                found = client.get("/api/v1/query", params=query).json()["data"]["result"]
            except (httpx.HTTPError, ValueError, KeyError):
                found = []
            if found and found[0]["value"][1] == "3":
                return
            said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            assert time.monotonic() < deadline, f"Prometheus scraped nothing in {_SECONDS} s:\n{said}"
            time.sleep(0.1)
