"""The documented routing score as a policy."""

from __future__ import annotations

from collections.abc import Mapping

from agent_gateway.interfaces import RouteCase, RouteChoice
from agent_gateway.messages import Tier

#: Passages beyond this many do not make a question harder.
COUNTED_PASSAGES = 5


class DocumentedRoutePolicy:
    """Scores a turn and names the tier for it; implements `RoutePolicy`.

    By default `0.1*words + 2*reasoning_depth + 0.5*passages + 3*accuracy_requirement`; below 5 is small, below 10
    medium, the rest large. `weights` has the four names above, `thresholds` `medium` and `large`. Every step of a turn
    has the same score.
    """

    name = "documented"

    def __init__(self, weights: Mapping[str, float], thresholds: Mapping[str, float]):
        self._weights = dict(weights)
        self._thresholds = dict(thresholds)

    def decide(self, case: RouteCase) -> RouteChoice:
        """The tier of one turn, whether or not the persona may use it."""
        counts = {
            "words": len(case.message.split()),
            "reasoning_depth": case.intent.reasoning_depth,
            "passages": min(case.passages, COUNTED_PASSAGES),
            "accuracy_requirement": case.intent.accuracy_requirement,
        }
        parts = {name: round(self._weights[name] * count, 4) for name, count in counts.items()}
        score = round(sum(parts.values()), 4)
        tier = self._tier(score)
        return RouteChoice(tier=tier, score=score, parts=parts, reason=f"score {score:g} calls for the {tier} tier")

    def _tier(self, score: float) -> Tier:
        if score < self._thresholds["medium"]:
            return "small"
        return "medium" if score < self._thresholds["large"] else "large"
