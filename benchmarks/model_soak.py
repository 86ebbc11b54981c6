"""A gateway under mixed traffic whose models fail in every known way, for as long as one likes.

    python -m benchmarks.model_soak [--minutes 30] [--faults 0.05] [--seed 1]

Every turn must come to exactly one end within the deadline and a second, whatever the model server does, and nothing
may be held at the end that was not held at the third minute. Exit code 1 when that is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from agent_gateway.testing import Fault, ModelCall, Reply, ScriptedModelServer
from benchmarks.figures import Figure, show
from benchmarks.gateway_process import ADDED, AUDITOR, BRUNO, JAMIE, MARY_KAY, GatewayProcess, Served
from benchmarks.model_gateway import serving
from benchmarks.soak_traffic import Tally, Visitor
from benchmarks.soak_watch import OBSERVER, Holding, growth, look, more_tasks
from benchmarks.turns import sample_questions

PERSONAS = (BRUNO, AUDITOR, JAMIE, MARY_KAY)
VISITORS = 6
#: Seconds: a turn's deadline, and what it may take beyond.
DEADLINE, BEYOND = 6.0, 1.0
TIMEOUTS = {"connect": 0.5, "first": 1.0, "stall": 1.0, "queue": 2.0}
#: From here on growth counts: the caches are full and the libraries loaded.
WARM_SECONDS = 180.0
ANSWER = "Renew the certificate thirty days before it expires [1]. Then restart the ingress and look at its log [1]."
SORTED = {"category": "query", "complexity": "low", "reasoning_depth": 1, "accuracy_requirement": 1}


class FaultyReplies:
    """Answers, a share of which goes wrong in one of all ways."""

    def __init__(self, faults: float, seed: int) -> None:
        self._share = faults
        self._random = random.Random(seed)
        self.injected = 0

    def __call__(self, call: ModelCall) -> Reply:
        text = msgspec.json.encode(SORTED).decode() if call.has_schema else ANSWER
        if self._random.random() >= self._share:
            return Reply(text, pause=0.01)
        self.injected += 1
        fault = self._random.choice(list(Fault))
        return Reply(
            text,
            fault=fault,
            pause=0.01,
            pieces_before_fault=self._random.randrange(6),
            tool_calls=[("search", {"query": "certificates"})] if fault is Fault.CUT_TOOL_CALL else (),
            retry_after=0.2,
        )


@dataclass(frozen=True)
class Outcome:
    """All figures, and what is wrong, one line each."""

    figures: list[Figure]
    faults: list[str]
    ends: Mapping[str, int]


def model_settings(server: ScriptedModelServer) -> dict[str, Any]:
    """Each tier talks to the server in another way: directly, and by LiteLLM in both protocols."""
    same = {"timeouts": TIMEOUTS, "concurrency": 32}
    return {
        "small": [{"model": "hosted_vllm/small", "address": server.openai_url, "direct": True, **same}],
        "medium": [{"model": "hosted_vllm/medium", "address": server.openai_url, **same}],
        "large": [{"model": "ollama_chat/large", "address": server.url, **same}],
        "deadline_seconds": DEADLINE,
        "breaker": {"cooldown_seconds": 1, "longest_seconds": 4},
    }


async def measure(
    seconds: float, faults: float, seed: int, served: Served | None = None, prepared: Path | None = None
) -> Outcome:
    """Traffic for so many seconds, two idle pauses not counted.

    The example personas are served unless `served` says otherwise, from a copy of `prepared`, a data directory.
    """
    chosen = served or Served()
    replies = FaultyReplies(faults, seed)
    with tempfile.TemporaryDirectory() as folder:
        plugins = Path(shutil.copytree(chosen.plugins, Path(folder) / "plugins"))
        (plugins / "observer.py").write_text(OBSERVER % ADDED, encoding="utf-8")
        async with (
            ScriptedModelServer(("small", "medium", "large"), replies) as server,
            serving(model_settings(server), Served(personas=chosen.personas, plugins=plugins), prepared) as gateway,
        ):
            forgetting = asyncio.create_task(forget(server))
            try:
                return await soak(gateway, replies, seconds, seed)
            finally:
                forgetting.cancel()


async def soak(gateway: GatewayProcess, replies: FaultyReplies, seconds: float, seed: int) -> Outcome:
    """Traffic, a look, and twice again."""
    tally = Tally()
    idle = min(20.0, max(2.0, seconds / 10))
    warm = min(WARM_SECONDS, seconds / 3)
    await send_traffic(gateway, tally, warm, seed)
    holdings = [await look(gateway, idle)]
    turns: list[int] = [tally.turns]
    for half in (1, 2):
        await send_traffic(gateway, tally, (seconds - warm) / 2, seed + half * VISITORS)
        holdings.append(await look(gateway, idle))
        turns.append(tally.turns)
    return judge(tally, holdings, turns, replies.injected)


async def send_traffic(gateway: GatewayProcess, tally: Tally, seconds: float, seed: int) -> None:
    """All visitors, for so many seconds."""
    ports = [gateway.port(each) for each in PERSONAS]
    questions = sample_questions(seed)
    until = time.monotonic() + seconds
    visitors = [Visitor(ports, questions, tally, DEADLINE + BEYOND, seed + 100 * number) for number in range(VISITORS)]
    await asyncio.gather(*(visitor.visit(until) for visitor in visitors))


async def forget(server: ScriptedModelServer) -> None:
    """The server keeps every request it was sent; half an hour of them is too much."""
    while True:
        await asyncio.sleep(5)
        server.requests.clear()
        server.probes.clear()


def judge(tally: Tally, holdings: Sequence[Holding], turns: Sequence[int], injected: int) -> Outcome:
    """The figures, and which of them are too high; `holdings` are those of the third minute, the middle and the end.

    Memory is judged by the second half: until then caches of a fixed size have filled.
    """
    grown = growth(holdings[0], holdings[1], holdings[2], turns[2] - turns[1])
    figures = [
        Figure("turns", tally.turns, ""),
        Figure("faults injected", injected, ""),
        Figure("turns without exactly one end in time", len(tally.problems), "", 0),
        Figure("slowest turn", tally.slowest, "s", DEADLINE + BEYOND),
        *grown,
    ]
    faults = [*tally.problems, *(f"{each.name}: {each.value:g}" for each in figures if each.short_by)]
    if any(each.short_by for each in grown):
        faults += more_tasks(holdings[0], holdings[-1])
    return Outcome(figures, faults, dict(sorted(tally.ends.items())))


def main() -> int:
    """Measure and print; 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--faults", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    outcome = asyncio.run(measure(options.minutes * 60, options.faults, options.seed))
    show("model soak", outcome.figures)
    for name, count in outcome.ends.items():
        print(f"  {name:60s} {count}")
    for line in outcome.faults[:50]:
        print(f"  WRONG {line}")
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
