"""Labelled requests as a routing policy sees them: what the head says, and what the example documents have on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent_gateway.graph.intent_head import IntentHead
from agent_gateway.interfaces import RouteCase, Vector
from agent_gateway.knowledge.ranker import Ranker
from agent_gateway.knowledge.search import search_collections
from agent_gateway.messages import Tier
from agent_gateway.persona import MODEL_TIERS
from benchmarks.corpus import Corpus

#: Passages a turn keeps.
KEPT = 5
_TALK = "chat"
#: The tier a request needs is defined by its label: how complex whoever wrote the request judged it to be.
NEEDS: Mapping[str, Tier] = {"low": "small", "medium": "medium", "high": "large"}


@dataclass(frozen=True)
class RoutedRequest:
    """A case for a policy, and the tier it needs by its label."""

    case: RouteCase
    need: Tier


@dataclass(frozen=True)
class Desk:
    """Makes cases as a turn would: over the example documents, for a persona that may use every tier."""

    corpus: Corpus
    ranker: Ranker

    def prepare(self, text: str, complexity: str, head: IntentHead, vector: Vector) -> RoutedRequest:
        """The request with this label, as `head` and a search see it."""
        intent = head.predict(text, vector, ())
        passages, evidence = 0, 0.0
        if intent.category != _TALK:
            found = search_collections({"homelab": self.corpus.homelab}, self.ranker, text, vector, KEPT)
            passages, evidence = len(found.passages) if found.answerable else 0, found.score
        case = RouteCase(message=text, intent=intent, passages=passages, evidence=evidence, tiers=MODEL_TIERS)
        return RoutedRequest(case, NEEDS[complexity])
