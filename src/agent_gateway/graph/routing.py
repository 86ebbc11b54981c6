"""The documented routing score as a policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent_gateway.intent import Intent
from agent_gateway.messages import Route

#: Passages beyond this many do not make a question harder.
COUNTED_PASSAGES = 5


class DocumentedRoutePolicy:
    """Scores a turn and names the tier for it.

    By default `0.1*words + 2*reasoning_depth + 0.5*passages + 3*accuracy_requirement`; below 5 is small, below 10
    medium, the rest large. `weights` has the four names above, `thresholds` `medium` and `large`. While no model is
    configured every turn is answered by the extractive floor, and the reason says which tier would have been chosen.
    """

    def __init__(self, weights: Mapping[str, float], thresholds: Mapping[str, float]):
        self._weights = dict(weights)
        self._thresholds = dict(thresholds)

    def decide(self, message: str, intent: Intent, passages: int, tiers: Sequence[str]) -> Route:
        """The route of one turn; `tiers` are those the persona may use."""
        counts = {
            "words": len(message.split()),
            "reasoning_depth": intent.reasoning_depth,
            "passages": min(passages, COUNTED_PASSAGES),
            "accuracy_requirement": intent.accuracy_requirement,
        }
        parts = {name: round(self._weights[name] * count, 4) for name, count in counts.items()}
        score = round(sum(parts.values()), 4)
        wanted = self._tier(score)
        allowed = (
            "" if wanted in tiers else f", which this persona may not use (it may use: {', '.join(tiers) or 'none'})"
        )
        return Route(
            tier="extractive",
            model="extractive",
            score=score,
            parts=parts,
            reason=f"score {score:g} calls for the {wanted} tier{allowed}; no model is configured, so the answer is "
            "made of sentences from the documents",
        )

    def _tier(self, score: float) -> str:
        if score < self._thresholds["medium"]:
            return "small"
        return "medium" if score < self._thresholds["large"] else "large"
