"""What belongs to another owner, and what never was: told in the same words, and in the same time.

    python -m benchmarks.foreign_ids --requests 1000 --seed 1

One owner has a long conversation; another asks for it, and for an id that nobody has, in random order, at every
endpoint of a persona that takes such an id. Printed are the medians of both, and how often a foreign id takes longer
than an absent one: 0.5 is no difference. The statuses and bodies must be the same but for the id.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
from tests.integration.test_auth_owners import two_people, unnamed

from agent_gateway.logs import configure_logs

#: How far from 0.5 chance takes a thousand requests now and then: four standard deviations.
TOLERANCE = 0.052
_TURNS = 30


@dataclass(frozen=True)
class Endpoint:
    """A request with an id: in its path, or as the conversation that a message belongs to."""

    method: str
    path: str
    kind: str

    async def ask(self, http: httpx.AsyncClient, name: str) -> httpx.Response:
        """Ask with an id."""
        if self.path == "/v1/chat":
            return await http.post(self.path, json={"message": "hello", "conversation_id": name})
        return await http.request(self.method, self.path.format(name))


ENDPOINTS = (
    Endpoint("GET", "/v1/conversations/{}", "conversation_id"),
    Endpoint("DELETE", "/v1/conversations/{}", "conversation_id"),
    Endpoint("POST", "/v1/chat", "conversation_id"),
    Endpoint("GET", "/v1/runs/{}", "run_id"),
    Endpoint("GET", "/v1/runs/{}/events", "run_id"),
    Endpoint("POST", "/v1/runs/{}/cancel", "run_id"),
    Endpoint("POST", "/v1/runs/{}/resume", "run_id"),
)


@dataclass
class Figures:
    """What came of one endpoint: the milliseconds of each request, and the different answers to each kind of id."""

    foreign: list[float] = field(default_factory=list)
    absent: list[float] = field(default_factory=list)
    answers: set[tuple[int, str]] = field(default_factory=set)

    @property
    def longer(self) -> float:
        """How often a foreign id takes longer than an absent one, of all pairs."""
        return superiority(self.foreign, self.absent)


def superiority(these: Sequence[float], those: Sequence[float]) -> float:
    """The share of pairs in which one of these is larger; ties count half."""
    ranked = sorted([(value, 1) for value in these] + [(value, 0) for value in those])
    total, below, at = 0.0, 0, 0
    while at < len(ranked):
        same = at
        while same < len(ranked) and ranked[same][0] == ranked[at][0]:
            same += 1
        mine = sum(flag for _, flag in ranked[at:same])
        others = same - at - mine
        total += mine * (below + others / 2)
        below += others
        at = same
    return total / (len(these) * len(those))


async def measure(requests: int, seed: int) -> dict[Endpoint, Figures]:
    """Ask so many times for either kind of id at each endpoint."""
    chance = random.Random(seed)
    async with two_people() as people:
        answer = (await people["alice"].post("/v1/chat", json={"message": "hello"})).json()
        for _ in range(_TURNS - 1):
            more = {"message": "what is a node pool?", "conversation_id": answer["conversation_id"]}
            answer = (await people["alice"].post("/v1/chat", json=more)).json()
        found = {}
        for endpoint in ENDPOINTS:
            found[endpoint] = await _measure(endpoint, people["bob"], answer[endpoint.kind], requests, chance)
            still_there = await people["alice"].get(f"/v1/conversations/{answer['conversation_id']}")
            still_there.raise_for_status()
    return found


async def _measure(
    endpoint: Endpoint, http: httpx.AsyncClient, own: str, requests: int, chance: random.Random
) -> Figures:
    figures = Figures()
    kinds = [True, False] * requests
    chance.shuffle(kinds)
    # As long as a real one and as random, and always the same: what was asked before may be known on the way.
    absent = own[:-12] + "".join(chance.choices("0123456789abcdef", k=12))
    for foreign in kinds:
        name = own if foreign else absent
        begun = time.perf_counter()
        response = await endpoint.ask(http, name)
        (figures.foreign if foreign else figures.absent).append((time.perf_counter() - begun) * 1000)
        figures.answers.add(unnamed(response, name))
    return figures


def show(found: dict[Endpoint, Figures]) -> int:
    """A line for each endpoint; how many of them tell foreign from absent."""
    told = 0
    for endpoint, figures in found.items():
        foreign, absent = (statistics.median(each) for each in (figures.foreign, figures.absent))
        statuses = "/".join(sorted({str(status) for status, _ in figures.answers}))
        differs = len(figures.answers) != 1 or abs(figures.longer - 0.5) > TOLERANCE
        told += differs
        print(
            f"{endpoint.method:6s} {endpoint.path:26s} {statuses}  foreign {foreign:.3f} ms  absent {absent:.3f} ms  "
            f"longer {figures.longer:.3f}{'  TELLS THEM APART' if differs else ''}"
        )
    return told


def main() -> int:
    """Print the figures; 1 when an endpoint tells foreign ids from absent ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    configure_logs(level="warning")
    return int(show(asyncio.run(measure(given.requests, given.seed))) > 0)


if __name__ == "__main__":
    sys.exit(main())
