"""What a gateway adds to its model: whole turns, beside the same model server asked directly, in alternating blocks.

    python -m benchmarks.model_turns [--turns 300] [--concurrent 32] [--seed 1]

The model server answers 40 tokens at once, so that everything else is the gateway's: all five stages of bruno over the
example documents, every event durable before it is sent. A turn's time minus the server's own is what was added. The
tokens come in one piece, and, in runs of their own, as 40 pieces in one write: with a real model the pieces come one
after the other, and what they cost is not waited for. A turn of the floor stands beside them.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from benchmarks.connection import Connection
from benchmarks.figures import Figure, quantile, show
from benchmarks.gateway_process import ADDED, BRUNO, ROOT, GatewayProcess, Served
from benchmarks.model_gateway import all_tiers, count_calls, model_entry, serving, upstream
from benchmarks.model_upstream import INSTANT, WHOLE
from benchmarks.turns import Bench, cpu_of_turns, sample_questions

#: Milliseconds that may be added, by who talks to the model server.
TARGETS = {True: 8.0, False: 12.0}
PIECES = {WHOLE: "1 piece", INSTANT: "40 pieces"}
BLOCK = 20
JSON, SSE, BARE, FLOOR = "JSON", "SSE", "model server alone", "floor turn"
#: As much text as five passages and a persona's prompt.
PROMPT = "The certificates are renewed by cert-manager thirty days before they expire. " * 80


Ask: TypeAlias = Callable[[Connection, str], Awaitable[None]]

#: A persona like bruno that no model speaks for.
QUOTING = """
import agent_gateway as ag


@ag.hookimpl
def register_personas() -> list[ag.Persona]:
    return [
        ag.Persona(id="quoting", port=%d, title="Quoting", prompt="Quote.", tiers=(),
                   collections=("homelab-docs", "ml-workflows", "agent-interactions"))
    ]
"""


@dataclass(frozen=True)
class Rig:
    """A gateway, the model server behind it, the model and what is asked."""

    gateway: GatewayProcess
    model_port: int
    model: str
    questions: Sequence[str]


async def ask_json(connection: Connection, question: str) -> None:
    """One turn answered in one piece; `RuntimeError` when no model wrote it."""
    answer = await connection.ask(question)
    if answer.model == "extractive":
        raise RuntimeError(f"no model answered: {answer.route} {answer.notices}")


async def ask_sse(connection: Connection, question: str) -> None:
    """One turn streamed to its end; `RuntimeError` when it did not end well."""
    status, body = await connection.post("/v1/chat", {"message": question, "stream": True})
    if status != 200 or b"event: done" not in body or b'"model":"extractive"' in body:
        raise RuntimeError(f"status {status}: {body[-500:].decode()}")


async def ask_floor(connection: Connection, question: str) -> None:
    """One turn without a model."""
    await connection.ask(question)


async def ask_model(connection: Connection, question: str, model: str = INSTANT) -> None:
    """The same model server without a gateway, as the gateway asks it."""
    messages = [{"role": "system", "content": PROMPT}, {"role": "user", "content": question}]
    body = {"model": model, "messages": messages, "stream": True, "max_tokens": 1000}
    status, data = await connection.post("/v1/chat/completions", body)
    if status != 200 or b"[DONE]" not in data:
        raise RuntimeError(f"status {status}: {data.decode()}")


async def time_blocks(rig: Rig, turns: int) -> dict[str, list[float]]:
    """Milliseconds of turns of each kind and of the model server alone, one at a time."""
    bruno, floor = rig.gateway.port(BRUNO), rig.gateway.port(ADDED)
    kinds: dict[str, tuple[int, Ask]] = {
        JSON: (bruno, ask_json),
        SSE: (bruno, ask_sse),
        BARE: (rig.model_port, partial(ask_model, model=rig.model)),
        FLOOR: (floor, ask_floor),
    }
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    await time_block(bruno, ask_json, rig.questions[:BLOCK])
    for first in range(0, turns, BLOCK):
        block = [rig.questions[number % len(rig.questions)] for number in range(first, min(first + BLOCK, turns))]
        for name, (port, ask) in kinds.items():
            taken[name] += await time_block(port, ask, block)
    return taken


async def time_block(port: int, ask: Ask, questions: Sequence[str]) -> list[float]:
    """Milliseconds of each question, one after the other on a connection."""
    taken = []
    async with Connection(port) as connection:
        for question in questions:
            begun = time.perf_counter()
            await ask(connection, question)
            taken.append((time.perf_counter() - begun) * 1000)
    return taken


async def measure(turns: int, concurrent: int, seed: int, model: str, *, direct: bool) -> list[Figure]:
    """The figures of one way to the model."""
    questions = sample_questions(seed)
    with tempfile.TemporaryDirectory() as folder:
        plugins = Path(shutil.copytree(ROOT / "plugins", Path(folder) / "plugins"))
        (plugins / "quoting.py").write_text(QUOTING % ADDED, encoding="utf-8")
        async with upstream() as port:
            models = all_tiers(model_entry(port, model, direct=direct))
            async with serving(models, Served(plugins=plugins)) as gateway:
                taken = await time_blocks(Rig(gateway, port, model, questions), turns)
                before = await count_calls(port)
                cpu, _ = await cpu_of_turns(Bench(gateway, {}, questions), turns, concurrent)
                calls = (await count_calls(port) - before) / turns
    name = f"{'direct' if direct else 'LiteLLM'}, {PIECES[model]}"
    return [
        *report_latency(name, taken, TARGETS[direct]),
        Figure(f"{name}: CPU per turn at {concurrent} concurrent", cpu, "ms"),
        Figure(f"{name}: model calls per turn", calls, ""),
    ]


def report_latency(name: str, taken: Mapping[str, Sequence[float]], target: float) -> list[Figure]:
    """What was added, at the median and at the slow end."""
    half, most = statistics.median(taken[BARE]), quantile(taken[BARE], 0.95)
    figures: list[Figure] = []
    for kind in (JSON, SSE):
        added = statistics.median(taken[kind]) - half
        figures.append(Figure(f"{name}, {kind}: added, p50", added, "ms", target))
        figures.append(Figure(f"{name}, {kind}: added, p95", quantile(taken[kind], 0.95) - most, "ms"))
    floor = statistics.median(taken[FLOOR])
    return [*figures, Figure(f"{name}: {BARE}, p50", half, "ms"), Figure(f"{name}: {FLOOR}, p50", floor, "ms")]


async def main() -> None:
    """Measure both ways and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=300)
    parser.add_argument("--concurrent", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    figures: list[Figure] = []
    for direct in (True, False):
        for model in PIECES:
            figures += await measure(options.turns, options.concurrent, options.seed, model, direct=direct)
    show("model turns", figures)


if __name__ == "__main__":
    asyncio.run(main())
