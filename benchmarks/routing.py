"""How well the routing policies choose a tier for requests that neither they nor the head were fitted on.

    python -m benchmarks.routing

A request needs the tier of its label: low complexity small, medium medium, high large. Labels say how hard a request
was judged to be by whoever wrote it, not which model answered it well. Costs are those of `data/routing.json`: each
tier too small counts `under`, each tier too large `over`.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from agent_gateway.config import RouteSettings
from agent_gateway.graph.calibrated_routing import CalibratedRoutePolicy, load_weights
from agent_gateway.graph.policies import make_policies
from agent_gateway.interfaces import RouteCase
from agent_gateway.knowledge.ranker import load_ranker
from agent_gateway.messages import Tier
from agent_gateway.persona import MODEL_TIERS
from benchmarks.corpus import open_corpus
from benchmarks.intents import Request, calibration_error, packaged_head
from benchmarks.questions import load
from benchmarks.routed_requests import NEEDS, Desk, RoutedRequest

Chooser: TypeAlias = Callable[[RouteCase], Tier]
_COLUMNS = ("right tier", "too small", "too large", "large", "cost")


def make_choosers(calibrated: CalibratedRoutePolicy) -> dict[str, Chooser]:
    """The policies, and what they have to be better than."""
    documented = make_policies(RouteSettings())[0]
    return {
        "documented": lambda case: documented.decide(case).tier,
        "calibrated": lambda case: calibrated.decide(case).tier,
        "calibrated, question alone": lambda case: calibrated.decide(_without_trouble(case)).tier,
        "the head's complexity": lambda case: NEEDS[case.intent.complexity],
        "always small": lambda case: "small",
        "always medium": lambda case: "medium",
        "always large": lambda case: "large",
    }


def _without_trouble(case: RouteCase) -> RouteCase:
    """The case as if documents had been found that answer it: nothing then moves the choice."""
    return RouteCase(message=case.message, intent=case.intent, passages=1, evidence=1.0, tiers=case.tiers)


def measure(requests: Sequence[RoutedRequest], choose: Chooser, policy: CalibratedRoutePolicy) -> tuple[float, ...]:
    """Shares of requests whose tier is right, too small, too large, and large; and the mean cost."""
    chosen = [choose(each.case) for each in requests]
    below = [
        MODEL_TIERS.index(each.need) - MODEL_TIERS.index(tier) for each, tier in zip(requests, chosen, strict=True)
    ]
    return (
        statistics.fmean(distance == 0 for distance in below),
        statistics.fmean(distance > 0 for distance in below),
        statistics.fmean(distance < 0 for distance in below),
        statistics.fmean(tier == "large" for tier in chosen),
        statistics.fmean(policy.cost(each.need, tier) for each, tier in zip(requests, chosen, strict=True)),
    )


def measure_calibration(requests: Sequence[RoutedRequest], policy: CalibratedRoutePolicy) -> dict[str, float]:
    """The calibration error of both probabilities and the mean negative log likelihood of the needs."""
    found = np.array([policy.probabilities(policy.decide(each.case).score) for each in requests])
    needs = np.array([MODEL_TIERS.index(each.need) for each in requests])
    medium, large = found[:, 0], found[:, 1]
    shares = np.stack([1 - medium, medium - large, large], axis=1)[np.arange(len(needs)), needs]
    return {
        "calibration error, needs more than small": calibration_error(medium, needs >= 1),
        "calibration error, needs large": calibration_error(large, needs == 2),
        "log loss": float(-np.log(np.maximum(shares, 1e-12)).mean()),
        "log loss of the shares of needs alone": float(
            -sum(share * np.log(share) for share in np.bincount(needs) / len(needs) if share)
        ),
    }


async def main() -> None:
    """Measure and print."""
    policy = CalibratedRoutePolicy(load_weights())
    async with open_corpus() as corpus:
        desk, head = Desk(corpus, load_ranker()), packaged_head(corpus.encoder)
        requests = [
            desk.prepare(each.text, each.complexity, head, corpus.encoder.encode_text(each.text))
            for each in load("intents_test.jsonl", Request)
        ]
    print(f"{len(requests)} requests" + "".join(f"{name:>12s}" for name in _COLUMNS))
    for name, choose in make_choosers(policy).items():
        print(f"{name:28s}" + "".join(f"{value:12.3f}" for value in measure(requests, choose, policy)))
    for name, value in measure_calibration(requests, policy).items():
        print(f"{name:44s} {value:.3f}")


if __name__ == "__main__":
    asyncio.run(main())
