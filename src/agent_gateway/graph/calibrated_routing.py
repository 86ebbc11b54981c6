"""A routing policy fitted on labelled requests: the tier with the least expected cost, given how hard a turn seems.

The weights in `data/routing.json` were fitted by `benchmarks/fit_routing.py`; `benchmarks/routing.py` measures them.
"""

from __future__ import annotations

import importlib.resources
import math
from collections.abc import Mapping, Sequence

import msgspec

from agent_gateway.interfaces import Failure, RouteCase, RouteChoice
from agent_gateway.messages import Tier
from agent_gateway.persona import MODEL_TIERS

#: The packaged weights, below the package's folder.
PACKAGED_WEIGHTS = "data/routing.json"
#: Difficulty is told in tiers: 0 small, 1 medium, 2 large. Half-way between two, either is as likely.
_MEDIUM_AT, _LARGE_AT = 0.5, 1.5
#: Choosing the arguments of one more call needs no more than this, unless something went wrong.
_TOOL_TIER: Tier = "medium"
#: Words beyond this many do not make a message harder: hardly an example is longer.
COUNTED_WORDS = 50
#: Needs no documents, so finding none says nothing.
_TALK = "chat"

_FAILURES: Mapping[Failure, str] = {
    "bad_tool_call": "a tool call could not be used",
    "empty_answer": "an answer was empty",
    "low_evidence": "the documents hardly answer this",
}


class RoutingCosts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a wrong choice costs, for each tier it is wrong by: a model too small, a model too large."""

    under: float
    over: float


class RoutingWeights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fitted model. `weights`: feature of `describe_case` -> tiers it adds to the difficulty; others add nothing.

    The odds that a turn needs more than a tier grow e-fold with every `1 / slope` of difficulty. `evidence`: passages
    that answer less probably than this hardly answer. `depth`: from this reasoning depth on, finding none matters.
    `digest` names the examples and the query encoder of the fit.
    """

    version: int
    digest: str
    offset: float
    slope: float
    weights: dict[str, float]
    costs: RoutingCosts
    evidence: float
    depth: int


def load_weights() -> RoutingWeights:
    """The packaged weights."""
    data = importlib.resources.files("agent_gateway").joinpath(PACKAGED_WEIGHTS).read_bytes()
    return msgspec.json.decode(data, type=RoutingWeights)


def describe_case(case: RouteCase) -> dict[str, float]:
    """The features of a case by name; what stands before `=` is the part of the score they belong to."""
    intent = case.intent
    return {
        "words": math.log1p(min(len(case.message.split()), COUNTED_WORDS)),
        "unsure": 1 - intent.confidence,
        f"category={intent.category}": 1.0,
        f"complexity={intent.complexity}": 1.0,
        f"reasoning_depth={intent.reasoning_depth}": 1.0,
        f"accuracy_requirement={intent.accuracy_requirement}": 1.0,
        "passages": float(case.passages),
        "evidence": case.evidence,
    }


class CalibratedRoutePolicy:
    """Estimates how hard a turn is and takes the tier with the least expected cost; implements `RoutePolicy`.

    The score is the difficulty in tiers: about 0 small, 1 medium, 2 large. The step, the conversation and what went
    wrong may then move the choice, each of which the reason says.
    """

    name = "calibrated"

    def __init__(self, weights: RoutingWeights):
        self._weights = weights

    def decide(self, case: RouteCase) -> RouteChoice:
        """The tier of a step, among those the persona may use as far as there are any."""
        parts = self._parts(case)
        score = round(sum(parts.values()), 4)
        medium, large = self.probabilities(score)
        best = self._cheapest(MODEL_TIERS, medium, large)
        clauses = [f"difficulty {score:.2f} (above small {medium:.0%}, above medium {large:.0%})"]
        allowed = tuple(tier for tier in MODEL_TIERS if tier in case.tiers)
        tier = self._cheapest(allowed, medium, large) if allowed else best
        clauses[0] += f" calls for the {best} tier"
        if tier != best:
            clauses.append(f"of those this persona may use ({', '.join(allowed)}) the {tier} one fits best")
        if allowed:
            tier = self._adjust(case, tier, allowed, clauses)
        return RouteChoice(tier=tier, score=score, parts=parts, reason=", ".join(clauses))

    def probabilities(self, score: float) -> tuple[float, float]:
        """How probable it is that a turn of this difficulty needs more than the small, and than the medium tier."""
        return self._odds(score - _MEDIUM_AT), self._odds(score - _LARGE_AT)

    def _odds(self, distance: float) -> float:
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, self._weights.slope * distance))))

    def _parts(self, case: RouteCase) -> dict[str, float]:
        parts = {"offset": self._weights.offset}
        for feature, value in describe_case(case).items():
            part = feature.partition("=")[0]
            parts[part] = parts.get(part, 0.0) + self._weights.weights.get(feature, 0.0) * value
        return {name: round(value, 4) for name, value in parts.items()}

    def _cheapest(self, tiers: Sequence[Tier], medium: float, large: float) -> Tier:
        needs = (1 - medium, medium - large, large)

        def cost(tier: Tier) -> float:
            return sum(share * self.cost(need, tier) for share, need in zip(needs, MODEL_TIERS, strict=True))

        return min(tiers, key=cost)

    def cost(self, need: Tier, chosen: Tier) -> float:
        """What it costs to choose a tier for a turn that needs another one."""
        below = MODEL_TIERS.index(need) - MODEL_TIERS.index(chosen)
        return below * self._weights.costs.under if below > 0 else -below * self._weights.costs.over

    def _adjust(self, case: RouteCase, tier: Tier, allowed: tuple[Tier, ...], clauses: list[str]) -> Tier:
        """The tier after the conversation, what went wrong, and the step have been looked at, in this order."""
        tier = _stay(case, tier, allowed, clauses)
        trouble = self._trouble(case)
        if trouble:
            tier = _raise(tier, allowed, trouble, clauses)
        if case.step == "tool" and not case.failures:
            within = [each for each in allowed if MODEL_TIERS.index(each) <= MODEL_TIERS.index(_TOOL_TIER)]
            if within and tier not in within:
                tier = within[-1]
                clauses.append(f"but the {tier} tier is enough for a further tool call")
        return tier

    def _trouble(self, case: RouteCase) -> str:
        """Why a larger model is called for than the question itself asks for, in one clause; empty when nothing is."""
        if case.failures:
            return _FAILURES[case.failures[-1]]
        if case.passages and 0 < case.evidence < self._weights.evidence:
            return _FAILURES["low_evidence"]
        if not case.passages and case.intent.category != _TALK and case.intent.reasoning_depth >= self._weights.depth:
            return "no document answers a demanding question"
        return ""


def _stay(case: RouteCase, tier: Tier, allowed: tuple[Tier, ...], clauses: list[str]) -> Tier:
    """Not below the tier that answered before, when the message continues that turn."""
    if case.previous not in MODEL_TIERS or MODEL_TIERS.index(case.previous) <= MODEL_TIERS.index(tier):
        return tier
    from_there = [each for each in allowed if MODEL_TIERS.index(each) >= MODEL_TIERS.index(case.previous)]
    stays = from_there[0] if from_there else allowed[-1]
    if stays != tier:
        clauses.append(f"but it continues a turn of the {case.previous} tier, so the {stays} tier goes on with it")
    return stays


def _raise(tier: Tier, allowed: tuple[Tier, ...], why: str, clauses: list[str]) -> Tier:
    """One tier up among those the persona may use; never two, however much went wrong."""
    higher = allowed[allowed.index(tier) + 1 :]
    if not higher:
        clauses.append(f"and {why}, but there is no larger tier to raise it to")
        return tier
    clauses.append(f"but {why}, so it is raised to the {higher[0]} tier")
    return higher[0]
