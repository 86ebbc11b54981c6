"""A real gateway in front of a model server of the benchmarks, each a process of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.connection import Connection
from benchmarks.gateway_process import ROOT, GatewayProcess, Served, copy_of, prepare, started

TIERS = ("small", "medium", "large")
#: Answers at a time: nothing may wait in the gateway's queue here.
CONCURRENCY = 400


@asynccontextmanager
async def listening(command: Sequence[str]) -> AsyncIterator[int]:
    """Run a program that prints its port first; it is ended with the block."""
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def upstream(tokens: int = 400, rate: float = 20.0) -> AsyncIterator[int]:
    """The port of a started `benchmarks.model_upstream`."""
    command = [sys.executable, "-m", "benchmarks.model_upstream", "--tokens", str(tokens), "--rate", str(rate)]
    async with listening(command) as port:
        yield port


async def count_calls(port: int) -> int:
    """How many chats the upstream was asked for so far."""
    async with Connection(port) as connection:
        return int((await connection.get("/calls"))[1])


def model_entry(port: int, model: str, *, direct: bool) -> dict[str, Any]:
    """The upstream's model as an entry of a tier."""
    address = f"http://127.0.0.1:{port}/v1"
    return {"model": f"hosted_vllm/{model}", "address": address, "direct": direct, "concurrency": CONCURRENCY}


def all_tiers(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The settings under `models` where every tier has the same one."""
    return {tier: [entry] for tier in TIERS}


def variables(settings: Mapping[str, Any], prefix: str = "AGENT_GATEWAY") -> dict[str, str]:
    """Nested settings as environment variables; lists are JSON."""
    found: dict[str, str] = {}
    for key, value in settings.items():
        name = f"{prefix}__{key.upper()}"
        if isinstance(value, Mapping):
            found |= variables(value, name)
        else:
            found[name] = msgspec.json.encode(value).decode() if isinstance(value, list | bool) else str(value)
    return found


@contextmanager
def environment(added: Mapping[str, str]) -> Iterator[None]:
    """Have variables in the environment of what is started meanwhile."""
    before = dict(os.environ)
    os.environ.update(added)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@asynccontextmanager
async def serving(
    models: Mapping[str, Any], served: Served | None = None, prepared: Path | None = None
) -> AsyncIterator[GatewayProcess]:
    """A gateway with these settings under `models`; it is ready when the block begins.

    `prepared` is a data directory to copy, in which the documents are ingested; without one it is made.
    """
    with copy_of(prepared or await prepare(served)) as data_dir:
        async with AsyncExitStack() as stack:
            with environment(variables({"models": models})):
                gateway = await stack.enter_async_context(started(data_dir, served))
            await gateway.wait()
            yield gateway
