"""How long a cold start takes, with everything installed, ingested and cached, beside what Python alone takes.

python -m benchmarks.startup [--starts 7]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.connection import Connection
from benchmarks.figures import Figure, show
from benchmarks.gateway_process import AUDITOR, GATEWAY, Served, copy_of, prepare, started

LIVE_SECONDS, ANSWER_SECONDS = 1.5, 3.0
QUESTION = "What is the runbook for certificate renewal?"
#: Statement -> what it stands for: the least that `/livez`, and that an answer, has to wait for.
INTERPRETER = "pass"
FRAMEWORK = "import uvicorn, uvloop, litestar"
LIBRARIES = "import uvicorn, uvloop, litestar, lancedb, onnxruntime, tokenizers, langgraph.graph"


@dataclass(frozen=True)
class Start:
    """Seconds from the start of the process; `cpu` is what it had computed when the answer came."""

    live: float
    ready: float
    answer: float
    cpu: float


async def start_once(served: Served | None = None) -> Start:
    """Start a gateway, ask one question as soon as it takes one, stop it."""
    with copy_of(await prepare(served)) as data_dir:
        async with started(data_dir, served) as gateway:
            live = await gateway.wait("/livez", GATEWAY)
            ready = await gateway.wait("/readyz", GATEWAY)
            async with Connection(gateway.port(AUDITOR)) as connection:
                answer = await connection.ask(QUESTION)
            if not answer.citations:
                raise RuntimeError(f"that is no real answer: {answer.response}")
            return Start(live, ready, time.perf_counter() - gateway.begun, gateway.cpu_seconds())


def run_statement(statement: str) -> float:
    """Seconds a fresh interpreter takes for a statement."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - begun


async def measure(starts: int, served: Served | None = None) -> list[Figure]:
    """The figures of several starts; the floor is measured between them."""
    taken: list[Start] = []
    floors: dict[str, list[float]] = {INTERPRETER: [], FRAMEWORK: [], LIBRARIES: []}
    for _ in range(starts):
        taken.append(await start_once(served))
        for statement, seconds in floors.items():
            seconds.append(await asyncio.to_thread(run_statement, statement))
    floor = {statement: statistics.median(seconds) for statement, seconds in floors.items()}
    return [
        Figure("python -c pass, median", floor[INTERPRETER], "s"),
        *_pair("first /livez", [each.live for each in taken], LIVE_SECONDS, floor[FRAMEWORK]),
        *_pair("ready", [each.ready for each in taken], None, floor[LIBRARIES]),
        *_pair("first answer", [each.answer for each in taken], ANSWER_SECONDS, floor[LIBRARIES]),
        Figure("CPU until then, median", statistics.median(each.cpu for each in taken), "s"),
    ]


def _pair(name: str, seconds: Sequence[float], target: float | None, floor: float) -> tuple[Figure, Figure]:
    return (
        Figure(f"{name}, median", statistics.median(seconds), "s", target, floor),
        Figure(f"{name}, worst", max(seconds), "s", target, floor),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=7)
    show("startup", asyncio.run(measure(parser.parse_args().starts)))
