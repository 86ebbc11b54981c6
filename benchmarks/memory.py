"""What one gateway with all personas holds after it is ready, after its first turns and after as many again.

    python -m benchmarks.memory [--turns 1000] [--seed 1]

PSS shares a page that several programs map between them. Alone on a machine a gateway has nobody to share with, so
the sum of whole pages (RSS) is shown beside it: quiet machine or not, the truth lies between the two.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Iterator

from benchmarks.connection import Connection
from benchmarks.figures import Figure, show
from benchmarks.gateway_process import AUDITOR, BRUNO, JAMIE, MARY_KAY, GatewayProcess, Memory, Served, ready
from benchmarks.questions import Question, load

TARGET_MB, GROWTH_MB, GROWTH_TURNS = 350.0, 2.0, 1000
PERSONAS = (BRUNO, AUDITOR, JAMIE, MARY_KAY)
#: Turns of a conversation.
CONVERSATION = 4
#: Until what was asked is in the knowledge base and threads have come to rest.
SETTLE_SECONDS = 4.0


def ask_differently(seed: int) -> Iterator[str]:
    """Endless messages, no two alike: labelled questions with words of their own."""
    source = random.Random(seed)
    questions = [each.question for each in load("homelab_questions_dev.jsonl", Question)]
    while True:
        place = f"node-{source.randrange(16**6):06x} in rack {source.randrange(1000)}"
        yield f"{source.choice(questions)} I mean {place}."


async def ask_many(gateway: GatewayProcess, turns: int, messages: Iterator[str], ports: tuple[int, ...]) -> None:
    """So many turns, spread over the personas, each of which is talked to in one conversation after another."""
    left = iter(range(turns))

    async def talk(port: int) -> None:
        conversation: str | None = None
        async with Connection(gateway.port(port)) as connection:
            for number, _ in enumerate(left):
                answer = await connection.ask(next(messages), conversation if number % CONVERSATION else None)
                conversation = answer.conversation_id

    await asyncio.gather(*(talk(port) for port in ports))
    await asyncio.sleep(SETTLE_SECONDS)


async def measure(
    turns: int, seed: int, served: Served | None = None, ports: tuple[int, ...] = PERSONAS
) -> list[Figure]:
    """The figures."""
    messages = ask_differently(seed)
    async with ready(served) as gateway:
        await asyncio.sleep(SETTLE_SECONDS)
        held = [gateway.memory()]
        for _ in range(2):
            await ask_many(gateway, turns, messages, ports)
            held.append(gateway.memory())
    return report(turns, held)


def report(turns: int, held: list[Memory]) -> list[Figure]:
    """The targets are promised for a thousand turns."""
    first, second, third = held
    figures: list[Figure] = []
    for name, memory in (("ready", first), (f"after {turns} turns", second), (f"after {2 * turns} turns", third)):
        figures.append(Figure(f"PSS, {name}", memory.pss, "MB", TARGET_MB))
        figures.append(Figure(f"RSS, {name}", memory.rss, "MB"))
    growth = (third.pss - second.pss) * GROWTH_TURNS / turns
    figures.append(Figure(f"growth per {GROWTH_TURNS} further turns", growth, "MB", GROWTH_MB))
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    show("memory", asyncio.run(measure(given.turns, given.seed)))
