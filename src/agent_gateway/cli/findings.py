"""What `doctor` looks at, one finding each: what is there, and what its absence costs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import msgspec

from agent_gateway.config import Configuration
from agent_gateway.errors import GatewayError
from agent_gateway.gateway.warming import cache_folder
from agent_gateway.interfaces import CollectionInfo
from agent_gateway.knowledge.encoders.export import Export, find_export
from agent_gateway.knowledge.encoders.weights import SHA256, find_weights
from agent_gateway.knowledge.lock import LockHolder
from agent_gateway.plugins import PluginInfo
from agent_gateway.registry import Registry
from agent_gateway.server.hosting import port_requests
from agent_gateway.server.sockets import bind

#: Below this there is hardly room for runs and a rebuilt table.
LITTLE_SPACE = 1 << 30


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`state`: `ok`, `absent` (it works without, at a cost), `broken` (the gateway cannot start or answer)."""

    name: str
    state: Literal["ok", "absent", "broken"]
    found: str
    cost: str = ""


def check_plugins(plugins: tuple[PluginInfo, ...]) -> Iterator[Finding]:
    """Look at the plugins."""
    working = [each.name for each in plugins if each.enabled]
    yield Finding(name="plugins", state="ok", found=f"{len(working)} enabled: {', '.join(working)}")
    for each in plugins:
        if not each.enabled:
            cost = "what it adds is missing, the others work"
            yield Finding(name=f"plugin {each.name}", state="absent", found=f"disabled: {each.errors[0]}", cost=cost)


def check_weights() -> Finding:
    """Look at the sentence encoder's weights, hashing them anew."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            weights = find_weights(Path(folder))
    except GatewayError as error:
        return Finding(
            name="encoder weights", state="broken", found=str(error), cost="nothing can be ingested or asked"
        )
    return Finding(name="encoder weights", state="ok", found=f"{weights.folder}, digest {weights.digest[:12]}")


def check_export(data_dir: Path) -> Finding:
    """Look at the query encoder in the cache."""
    return judge_export(find_export(cache_folder(data_dir), SHA256))


def judge_export(export: Export | None) -> Finding:
    """Say what having, or not having, the exported query encoder means."""
    name = "query encoder"
    if export is None:
        cost = "the next start makes it, once, in about a minute"
        return Finding(name=name, state="absent", found="not exported yet", cost=cost)
    if export.graph is None:
        cost = "the reference answers instead: each question takes four times as long and torch stays in memory"
        return Finding(name=name, state="absent", found=f"the export was rejected: {export.report.reason}", cost=cost)
    measured = f"lowest cosine {export.report.minimum_cosine:.4f}, top-5 overlap {export.report.overlap:.3f}"
    return Finding(name=name, state="ok", found=f"exported and accepted: {measured}")


def check_collections(found: tuple[CollectionInfo, ...] | None, busy: str) -> Finding:
    """Look at the collections; None when they could not be read, and `busy` says why."""
    if found is None:
        return Finding(name="collections", state="absent", found=busy, cost="they cannot be listed now")
    if not found:
        cost = "the next start ingests the personas' documents first"
        return Finding(name="collections", state="absent", found="there are none", cost=cost)
    told = ", ".join(f"{each.name} ({each.documents} documents, {each.chunks} chunks)" for each in found)
    return Finding(name="collections", state="ok", found=told)


def check_space(data_dir: Path) -> Finding:
    """Look at the free space where the data directory is, or will be."""
    place = next(path for path in (data_dir, *data_dir.parents) if path.exists())
    free = shutil.disk_usage(place).free
    found = f"{free / (1 << 30):.1f} GiB free for {data_dir}"
    if free < LITTLE_SPACE:
        cost = "on a full disk no run can be stored, so none is started"
        return Finding(name="disk space", state="broken", found=found, cost=cost)
    return Finding(name="disk space", state="ok", found=found)


def check_lock(holder: LockHolder | None) -> Finding:
    """Look at who has the data directory."""
    name = "data directory"
    if holder is None:
        return Finding(name=name, state="ok", found="in use by nobody")
    if holder.control_url:
        return Finding(name=name, state="ok", found=f"served by process {holder.pid} at {holder.gateway_url}")
    cost = "no gateway can start until that is done"
    return Finding(name=name, state="absent", found=f"locked by process {holder.pid}", cost=cost)


def check_ports(configuration: Configuration, registry: Registry) -> Iterator[Finding]:
    """Try every port, unless the running gateway has them."""
    server = configuration.settings.server
    requests = port_requests(registry, server.port, 0)
    free: list[str] = []
    for request in requests:
        try:
            bind(server.host, [replace(request, optional=False)], insecure=True).close()
        except GatewayError as error:
            if request.optional:
                yield Finding(name="ports", state="absent", found=error.detail, cost="its plugin will be disabled")
            else:
                yield Finding(name="ports", state="broken", found=error.detail, cost="`serve` needs --port-offset")
            continue
        free.append(str(request.port))
    yield Finding(name="ports", state="ok", found=f"free on {server.host}: {', '.join(free) or 'none'}")
