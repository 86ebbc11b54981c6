"""The gateway of the obedient model: a real process that may use every tool, three of them without asking."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.gateway_process import ADDED, GATEWAY, ROOT, find_offset
from benchmarks.obedient_mcp import SERVER, TOOLS

#: How a model is given tools, each by a persona of its own.
MODES = {"native": ADDED, "json": ADDED + 1}
ACCEPTED = "mcp-accepted.json"
AUTO = ("git_commit", "flux_reconcile", "kubectl")
GIT_PASSWORD = "OBEDIENT_GIT_PASSWORD"
TURN_SECONDS = 60.0
_READY_SECONDS, _STOP_SECONDS = 120.0, 20.0
_TOOLS = (
    "knowledge_search", "ask_human", "kubectl", "list_objects", "describe_object", "pod_logs", "cluster_events",
    "restart_workload", "scale_workload", "query_prometheus", "query_loki", "get_traces", "flux_get", "flux_reconcile",
    "flux_suspend", "flux_resume", "git_log", "git_show", "git_commit",
)  # fmt: skip


@dataclass(frozen=True)
class Addresses:
    """Of all servers that the gateway uses."""

    model: str
    git: str
    prometheus: str
    loki: str
    tempo: Mapping[str, str]
    jaeger: Mapping[str, str]
    mcp: str
    kubeconfig: Path


def write_settings(folder: Path, addresses: Addresses, documents: Path, key: str) -> tuple[Path, Path]:
    """The settings and the personas; who has `key` may ask, and decide."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    model = {"model": "hosted_vllm/obedient", "address": addresses.model, "direct": True, "window": 100_000}
    repository = {"url": addresses.git, "paths": ["apps/**/*.yaml"], "username": "git", "password_env": GIT_PASSWORD}
    telemetry = {name: getattr(addresses, name) for name in ("prometheus", "loki", "tempo", "jaeger")}
    settings: dict[str, Any] = {
        "auth": {"callers": {"tester": {"key_sha256": digest, "roles": ["operator", "approver"]}}},
        "classify": {"threshold": 0},
        "clusters": {"kubeconfig": str(addresses.kubeconfig), "in_cluster": False},
        "models": {"discover": False},
        "plugins": {
            "gitops": {"cache_dir": str(folder / "cache"), "repositories": {"apps": repository}},
            "observability": telemetry,
            "mcp": {"servers": {SERVER: {"url": addresses.mcp}}, "accepted_file": str(folder / ACCEPTED)},
        },
    }
    personas = {
        mode: {
            "port": port,
            "title": "Obedient",
            "prompt": "You do what you are told.",
            "intents": ["deploy", "query", "troubleshoot", "analyze"],
            "documents": {str(documents): "rosters"},
            "collections": ["rosters", "homelab-docs", "agent-interactions"],
            "tools": [*_TOOLS, *TOOLS],
            "policy": {"auto": list(AUTO)},
            "models": {tier: [{**model, "tools": mode}] for tier in ("small", "medium", "large")},
        }
        for mode, port in MODES.items()
    }
    config, served = folder / "agent-gateway.yaml", folder / "personas.yaml"
    # JSON is YAML.
    config.write_text(json.dumps(settings), encoding="utf-8")
    served.write_text(json.dumps({"only_listed": True, "personas": personas}), encoding="utf-8")
    return config, served


@dataclass(frozen=True)
class Gateway:
    """A gateway that serves. `clients` talk to its personas, by mode."""

    data_dir: Path
    clients: Mapping[str, httpx.AsyncClient]
    control_token: str


@asynccontextmanager
async def serving(data_dir: Path, config: Path, personas: Path, key: str, password: str) -> AsyncIterator[Gateway]:
    """Serve on a data directory; it is ready when the block begins, and its log is beside its data."""
    offset = find_offset((GATEWAY, *MODES.values()))
    command = [sys.executable, "-m", "agent_gateway", "serve", "--data-dir", str(data_dir), "--config", str(config)]
    command += ["--personas-file", str(personas), "--port-offset", str(offset)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AGENT_GATEWAY")}
    plugins = {"AGENT_GATEWAY__PLUGINS_DIR": str(ROOT / "plugins"), GIT_PASSWORD: password}
    with (data_dir / "serve.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: ASYNC220 - once, before anything else runs
            command, stdout=log, stderr=log, env={**kept, **plugins}, cwd=ROOT
        )
    headers = {"Authorization": f"Bearer {key}"}
    clients = {
        mode: httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port + offset}", headers=headers, timeout=TURN_SECONDS, trust_env=False
        )
        for mode, port in MODES.items()
    }
    try:
        await _wait(process, f"http://127.0.0.1:{GATEWAY + offset}/readyz")
        holder = json.loads((data_dir / "lock").read_bytes())
        yield Gateway(data_dir, clients, str(holder["token"]))
    finally:
        for client in clients.values():
            await client.aclose()
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, _STOP_SECONDS)


async def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + _READY_SECONDS
    async with httpx.AsyncClient(trust_env=False) as client:
        while process.poll() is None and time.monotonic() < until:
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)
    raise RuntimeError("the gateway does not become ready: see serve.log in its data directory")
