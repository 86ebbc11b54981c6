"""The policy on kubectl commands: the corpus, the time of a decision, and mutations that must not weaken it.

python -m benchmarks.kubectl_policy [--mutations 100000] [--seed 1]
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from plugins.kubernetes.agent_gateway_kubernetes.grammar import judge_text

from benchmarks.corpus import PUBLIC
from benchmarks.figures import Figure, quantile, show
from benchmarks.kubectl_mutations import Mutant, mutate

CORPUS = PUBLIC.parent / "kubectl" / "corpus.jsonl"
OWN = Path(__file__).parent.parent / "plugins/kubernetes/tests"
MOST_MILLISECONDS = 1.0
DECISIONS = {"allow": "read", "ask": "approve", "deny": "deny"}
_STRICTNESS = {"read": 0, "approve": 1, "deny": 2}
_LINE = re.compile(r"(read|approve|deny)\s+(.*)")


class Row(NamedTuple):
    """A command, and what becomes of it."""

    command: str
    decision: str


class Trial(NamedTuple):
    """What came of many mutations: how often each manner was tried, and those that were judged too mildly."""

    tried: Counter[str]
    weaker: Sequence[tuple[Row, Mutant, str]]


def read_corpus(path: Path = CORPUS) -> list[Row]:
    """The corpus."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [Row(row["command"], row["decision"]) for row in rows]


def read_own() -> list[Row]:
    """The labelled commands beside the plugin's tests."""
    lines = [line for file in sorted(OWN.glob("labelled_commands_*.txt")) for line in file.read_text().splitlines()]
    return [Row(found[2], found[1]) for line in lines if (found := _LINE.fullmatch(line))]


def decide(command: str) -> str:
    """The decision on a command: `read`, `approve` or `deny`."""
    return DECISIONS[judge_text(command).decision]


def wrong_of(rows: Sequence[Row]) -> list[Row]:
    """The rows that are decided otherwise than they say."""
    return [row for row in rows if decide(row.command) != row.decision]


def try_mutations(rows: Sequence[Row], count: int, seed: int) -> Trial:
    """Judge mutations of commands that are drawn at random; whatever is raised is raised."""
    random = Random(seed)
    tried: Counter[str] = Counter()
    weaker = []
    for _ in range(count):
        row = random.choice(rows)
        mutant = mutate(random, row.command)
        decision = decide(mutant.command)
        tried[mutant.manner] += 1
        least = {"denied": "deny", "no weaker": row.decision, "anything": "read"}[mutant.expected]
        if _STRICTNESS[decision] < _STRICTNESS[least]:
            weaker.append((row, mutant, decision))
    return Trial(tried, weaker)


def time_decisions(rows: Sequence[Row], rounds: int = 20) -> list[float]:
    """Milliseconds of each decision."""
    found = []
    for _ in range(rounds):
        for row in rows:
            begun = time.perf_counter()
            judge_text(row.command)
            found.append((time.perf_counter() - begun) * 1000)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when a decision is wrong, weaker, or too slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    corpus, own = read_corpus(), read_own()
    times = time_decisions([*corpus, *own])
    trial = try_mutations([*corpus, *own], given.mutations, given.seed)
    wrong = [*wrong_of(corpus), *wrong_of(own)]
    figures = [
        Figure(f"wrong of {len(corpus)} commands of the corpus", len(wrong_of(corpus)), "", 0),
        Figure(f"wrong of {len(own)} commands of our own", len(wrong_of(own)), "", 0),
        Figure("a decision, median", quantile(times, 0.5), "ms", MOST_MILLISECONDS),
        Figure("a decision, 99th of 100", quantile(times, 0.99), "ms", MOST_MILLISECONDS),
        Figure("a decision, slowest", max(times), "ms"),
        Figure(f"weaker of {given.mutations} mutations", len(trial.weaker), "", 0),
    ]
    show("kubectl policy", figures)
    print("  " + ", ".join(f"{manner}: {count}" for manner, count in sorted(trial.tried.items())))
    for row in wrong:
        print(f"  wrong: {row.decision} expected of {row.command!r}")
    for row, mutant, decision in trial.weaker[:20]:
        print(f"  {mutant.manner}: {decision} on {mutant.command!r} ({row.decision} on {row.command!r})")
    return int(any(figure.short_by for figure in figures))


if __name__ == "__main__":
    raise SystemExit(main())
