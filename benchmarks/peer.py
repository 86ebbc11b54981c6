"""The gateway beside the same turn made of FastAPI and LangChain (`benchmarks/peer_service`), in alternating blocks.

    python -m benchmarks.peer --setup       makes the service's own environment, once
    python -m benchmarks.peer [--turns 200] [--concurrent 32] [--seed 1]

Both have the same model server behind them, the same documents and the same questions. The service asks a model twice
a turn, first for the classification; what is subtracted from its time are both calls as the model server takes them
alone, so that its extra call costs it nothing but its own work. With a real model the extra call would be most of it.
The service is also measured without a classification.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.connection import Connection
from benchmarks.figures import Figure, show
from benchmarks.gateway_process import BRUNO, GatewayProcess, find_offset
from benchmarks.model_gateway import all_tiers, model_entry, serving, upstream
from benchmarks.model_turns import PROMPT, Ask, ask_json, ask_model, ask_sse, time_block
from benchmarks.model_upstream import INSTANT
from benchmarks.peer_process import PeerProcess, peer_serving, set_up
from benchmarks.turns import WRITE_BACK_SECONDS, sample_questions

#: The service's figures are to be so many times the gateway's.
TIMES = 3.0
BLOCK = 20
#: Where free ports for the services are looked for.
FIRST_PORT, SECOND_PORT = 30150, 30151
GATEWAY, PEER, BARE_PEER = "gateway", "service", "service without classification"
WHOLE_CALL, STREAMED_CALL, SORTING_CALL = "answer", "streamed answer", "classification"
SCHEMA = {
    "type": "object",
    "properties": {
        "category": {"enum": ["deploy", "query", "troubleshoot", "analyze", "train", "chat"], "type": "string"},
        "complexity": {"enum": ["low", "medium", "high"], "type": "string"},
        "reasoning_depth": {"enum": [0, 1, 2, 3], "type": "integer"},
        "accuracy_requirement": {"enum": [0, 1, 2], "type": "integer"},
    },
}


class Running(Protocol):
    """A process whose computing time can be read."""

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        ...


@dataclass
class Side:
    """One of those that are compared. `cpu` and `turns` add up over the blocks."""

    process: Running
    port: int
    json: Ask
    sse: Ask
    cpu: float = 0.0
    turns: int = 0
    taken: dict[str, list[float]] = field(default_factory=lambda: {"JSON": [], "SSE": []})


async def ask_peer(connection: Connection, question: str) -> None:
    """One turn of the service in one piece."""
    status, body = await connection.post("/v1/chat", {"message": question})
    if status != 200 or b'"citations":[{' not in body:
        raise RuntimeError(f"status {status}: {body.decode()}")


async def stream_peer(connection: Connection, question: str) -> None:
    """One turn of the service, streamed to its end."""
    status, body = await connection.post("/v1/chat", {"message": question, "stream": True})
    if status != 200 or b"event: done" not in body:
        raise RuntimeError(f"status {status}: {body.decode()}")


async def ask_whole(connection: Connection, question: str) -> None:
    """The model server alone, answering in one piece."""
    messages = [{"role": "system", "content": PROMPT}, {"role": "user", "content": question}]
    await connection.post("/v1/chat/completions", {"model": INSTANT, "messages": messages})


async def ask_sorting(connection: Connection, question: str) -> None:
    """The model server alone, classifying."""
    wanted = {"type": "json_schema", "json_schema": {"name": "Classification", "schema": SCHEMA}}
    messages = [{"role": "system", "content": PROMPT[:400]}, {"role": "user", "content": question}]
    await connection.post("/v1/chat/completions", {"model": INSTANT, "messages": messages, "response_format": wanted})


async def load_block(side: Side, questions: Sequence[str], concurrent: int) -> None:
    """So many questions at once; adds the computing time, what is written afterwards included."""
    left = iter(questions)
    before = side.process.cpu_seconds()

    async def work() -> None:
        async with Connection(side.port) as connection:
            for question in left:
                await side.json(connection, question)

    await asyncio.gather(*(work() for _ in range(concurrent)))
    await asyncio.sleep(WRITE_BACK_SECONDS)
    side.cpu += side.process.cpu_seconds() - before
    side.turns += len(questions)


async def compare(
    sides: Mapping[str, Side], model_port: int, questions: Sequence[str], concurrent: int
) -> dict[str, float]:
    """Fill the sides; returns the median milliseconds of the model server's own calls."""
    calls: dict[str, Ask] = {WHOLE_CALL: ask_whole, STREAMED_CALL: ask_model, SORTING_CALL: ask_sorting}
    alone: dict[str, list[float]] = {name: [] for name in calls}
    for side in sides.values():
        await time_block(side.port, side.json, questions[:BLOCK])
    for first in range(0, len(questions), BLOCK):
        block = questions[first : first + BLOCK]
        for side in sides.values():
            side.taken["JSON"] += await time_block(side.port, side.json, block)
            side.taken["SSE"] += await time_block(side.port, side.sse, block)
        for name, ask in calls.items():
            alone[name] += await time_block(model_port, ask, block)
    for first in range(0, len(questions), 5 * BLOCK):
        for side in sides.values():
            await load_block(side, questions[first : first + 5 * BLOCK], concurrent)
    return {name: statistics.median(values) for name, values in alone.items()}


async def measure(turns: int, concurrent: int, seed: int) -> list[Figure]:
    """The figures."""
    sampled = sample_questions(seed)
    questions = [sampled[number % len(sampled)] for number in range(turns)]
    async with AsyncExitStack() as stack:
        model_port = await stack.enter_async_context(upstream())
        models = all_tiers(model_entry(model_port, INSTANT, direct=True))
        gateway = await stack.enter_async_context(serving(models))
        offset = find_offset((FIRST_PORT, SECOND_PORT))
        peers = [
            await stack.enter_async_context(peer_serving(model_port, port + offset, classifies=classifies))
            for port, classifies in ((FIRST_PORT, True), (SECOND_PORT, False))
        ]
        sides = sides_of(gateway, peers)
        alone = await compare(sides, model_port, questions, concurrent)
    return report(sides, alone, concurrent)


def sides_of(gateway: GatewayProcess, peers: Sequence[PeerProcess]) -> dict[str, Side]:
    """Those that are compared, by name."""
    with_model, without = (Side(each, each.port, ask_peer, stream_peer) for each in peers)
    return {GATEWAY: Side(gateway, gateway.port(BRUNO), ask_json, ask_sse), PEER: with_model, BARE_PEER: without}


def report(sides: Mapping[str, Side], alone: Mapping[str, float], concurrent: int) -> list[Figure]:
    """A gateway's figure has a third of the service's as its target, and the service's as its floor."""
    sorting = {GATEWAY: 0.0, PEER: alone[SORTING_CALL], BARE_PEER: 0.0}
    figures: list[Figure] = []
    for kind in ("JSON", "SSE"):
        call = {name: alone[STREAMED_CALL if kind == "SSE" or name == GATEWAY else WHOLE_CALL] for name in sides}
        added = {name: statistics.median(side.taken[kind]) - call[name] - sorting[name] for name, side in sides.items()}
        figures += compared(f"added, {kind}, p50", added, "ms")
    cpu = {name: side.cpu / side.turns * 1000 for name, side in sides.items()}
    figures += compared(f"CPU per turn at {concurrent} concurrent", cpu, "ms")
    return [*figures, *(Figure(f"model server alone: {name}, p50", value, "ms") for name, value in alone.items())]


def compared(name: str, values: Mapping[str, float], unit: str) -> list[Figure]:
    """One figure of all sides."""
    gateway, peer, bare = values[GATEWAY], values[PEER], values[BARE_PEER]
    return [
        Figure(f"{name}: {GATEWAY}", gateway, unit, peer / TIMES, peer),
        Figure(f"{name}: {PEER}", peer, unit),
        Figure(f"{name}: {BARE_PEER}", bare, unit),
    ]


def main() -> None:
    """Set up, or measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--setup", action="store_true")
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--concurrent", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.setup:
        set_up()
        return
    show("gateway and service", asyncio.run(measure(options.turns, options.concurrent, options.seed)))


if __name__ == "__main__":
    main()
