"""What a whole floor turn over HTTP costs, beside the sum of its parts measured in the same run.

python -m benchmarks.turns [--turns 400] [--concurrent 32] [--seed 1]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial

import msgspec

from agent_gateway.client import read_events
from agent_gateway.events import StageFinished
from benchmarks.connection import Connection
from benchmarks.figures import Figure, quantile, show
from benchmarks.gateway_process import BRUNO, GatewayProcess, Served, copy_of, prepare, started
from benchmarks.questions import Question, load
from benchmarks.turn_parts import Part, open_parts

LATENCY_RATIO, AIM_MS, CPU_RATIO = 1.5, 12.0, 1.3
COLLECTION = "homelab-docs"
#: Turns and parts take turns in blocks of so many, so that both see the same neighbours on the machine.
BLOCK = 20
HTTP = "HTTP round trip"
#: Until the turns' interactions are in the knowledge base: their writing belongs to the cost of the turns.
WRITE_BACK_SECONDS = 3.0
_STAGE = msgspec.json.Decoder(StageFinished)


@dataclass
class Bench:
    """A gateway and the parts beside it. `runs` are the ids of the turns that were timed."""

    gateway: GatewayProcess
    parts: Mapping[str, Part]
    questions: Sequence[str]
    runs: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.gateway.port(BRUNO)


def sample_questions(seed: int) -> list[str]:
    """Questions over the example documents, shuffled."""
    questions = [each.question for each in load("homelab_questions_dev.jsonl", Question)]
    random.Random(seed).shuffle(questions)
    return questions


async def time_blocks(bench: Bench, turns: int) -> dict[str, list[float]]:
    """Milliseconds of turns and of each part, one at a time; the whole turn's name is empty."""
    taken: dict[str, list[float]] = {name: [] for name in ("", HTTP, *bench.parts)}
    async with Connection(bench.port) as connection:
        for question in bench.questions[:BLOCK]:
            await connection.ask(question)
        for first in range(0, turns, BLOCK):
            for number in range(first, min(first + BLOCK, turns)):
                begun = time.perf_counter()
                answer = await connection.ask(bench.questions[number % len(bench.questions)])
                taken[""].append((time.perf_counter() - begun) * 1000)
                bench.runs.append(answer.run_id)
            parts: dict[str, Part] = {HTTP: partial(connection.get, "/livez"), **bench.parts}
            for name, part in parts.items():
                for _ in range(BLOCK):
                    begun = time.perf_counter()
                    await part()
                    taken[name].append((time.perf_counter() - begun) * 1000)
    return taken


async def read_stages(bench: Bench) -> dict[str, float]:
    """Mean milliseconds of each stage over the timed turns, from their events."""
    taken: dict[str, list[float]] = {}
    async with Connection(bench.port) as connection:
        for run_id in bench.runs:
            _, body = await connection.get(f"/v1/runs/{run_id}/events")
            async for event in read_events(_lines(body)):
                if event.type == "stage_finished":
                    finished = _STAGE.decode(event.data)
                    taken.setdefault(finished.stage, []).append(finished.ms)
    return {stage: statistics.fmean(values) for stage, values in taken.items()}


async def _lines(body: bytes) -> AsyncIterator[str]:
    for line in body.decode().split("\n"):
        yield line


async def cpu_of_turns(bench: Bench, turns: int, concurrent: int) -> tuple[float, float]:
    """CPU milliseconds of the gateway per turn, its writing into the knowledge base included, and per `/livez`."""
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(Connection(bench.port)) for _ in range(concurrent)]
        questions = iter([bench.questions[number % len(bench.questions)] for number in range(turns)])

        async def ask(connection: Connection) -> None:
            for question in questions:
                await connection.ask(question)

        before = bench.gateway.cpu_seconds()
        await asyncio.gather(*(ask(connection) for connection in connections))
        await asyncio.sleep(WRITE_BACK_SECONDS)
        spent = bench.gateway.cpu_seconds() - before
        times = iter(range(turns * 4))

        async def look(connection: Connection) -> None:
            for _ in times:
                await connection.get("/livez")

        before = bench.gateway.cpu_seconds()
        await asyncio.gather(*(look(connection) for connection in connections))
        return spent / turns * 1000, (bench.gateway.cpu_seconds() - before) / turns / 4 * 1000


async def cpu_of_part(part: Part, times: int, concurrent: int) -> float:
    """CPU milliseconds of this process per execution of a part."""
    left = iter(range(times))

    async def repeat() -> None:
        for _ in left:
            await part()

    before = time.process_time()
    await asyncio.gather(*(repeat() for _ in range(concurrent)))
    return (time.process_time() - before) / times * 1000


async def measure(
    turns: int, concurrent: int, seed: int, served: Served | None = None, collection: str = COLLECTION
) -> list[Figure]:
    """The figures."""
    questions = sample_questions(seed)
    data_dir = await prepare(served)
    with copy_of(data_dir) as own, copy_of(data_dir) as served_from:
        async with started(served_from, served) as gateway, open_parts(own, collection, questions) as parts:
            await gateway.wait()
            bench = Bench(gateway, parts, questions)
            taken = await time_blocks(bench, turns)
            stages = await read_stages(bench)
            turn, http = await cpu_of_turns(bench, turns, concurrent)
            spent = {HTTP: http} | {name: await cpu_of_part(part, turns, concurrent) for name, part in parts.items()}
    return [*report_latency(taken), *report_stages(stages), *report_cpu(turn, spent, concurrent)]


def report_latency(taken: Mapping[str, Sequence[float]]) -> list[Figure]:
    """The turn against the sum of its parts, and each part."""
    parts = {name: values for name, values in taken.items() if name}
    half = sum(statistics.median(values) for values in parts.values())
    most = sum(quantile(values, 0.95) for values in parts.values())
    return [
        Figure("turn, p50", statistics.median(taken[""]), "ms", LATENCY_RATIO * half, half),
        Figure("turn, p95", quantile(taken[""], 0.95), "ms", None, most),
        Figure("turn, p50, aim", statistics.median(taken[""]), "ms", AIM_MS),
        *(Figure(f"  {name}, p50", statistics.median(values), "ms") for name, values in parts.items()),
    ]


def report_stages(stages: Mapping[str, float]) -> list[Figure]:
    """Where a turn's time goes inside the gateway."""
    return [Figure(f"  stage {name}, mean", value, "ms") for name, value in stages.items()]


def report_cpu(turn: float, spent: Mapping[str, float], concurrent: int) -> list[Figure]:
    """CPU of a turn against that of its parts."""
    total = sum(spent.values())
    return [
        Figure(f"CPU per turn at {concurrent} concurrent", turn, "ms", CPU_RATIO * total, total),
        *(Figure(f"  CPU of {name}", value, "ms") for name, value in spent.items()),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=400)
    parser.add_argument("--concurrent", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    show("turns", asyncio.run(measure(given.turns, given.concurrent, given.seed)))
