"""What all agents share: the parts a turn uses, behind their Protocols."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent_gateway.graph.router import Router
from agent_gateway.interfaces import (
    Checkpoints,
    Classifier,
    Clusters,
    Completions,
    Encoder,
    Interaction,
    Knowledge,
    Model,
    Tools,
)
from agent_gateway.messages import Tier
from agent_gateway.persona import Persona


@dataclass(frozen=True)
class ToolLimits:
    """What one turn may use of tools: rounds, seconds, tokens its model reads and writes meanwhile."""

    steps: int = 6
    seconds: float = 60.0
    tokens: int = 50_000


@dataclass(frozen=True)
class Faculties:
    """The parts of a turn.

    `models` write whole answers: the floor, and whatever was brought along for a tier. `completions` are the
    language models, if there are any. `deadline_seconds` is how long a turn may take.
    """

    encoder: Encoder
    classifier: Classifier
    knowledge: Knowledge
    router: Router
    models: Mapping[Tier, Model]
    completions: Completions
    tools: Tools
    clusters: Clusters
    checkpoints: Checkpoints
    #: (persona, intent name) -> the collections to search; None for all that the persona may search.
    collections: Callable[[Persona, str | None], tuple[str, ...]]
    #: Queues an interaction for the knowledge base without waiting.
    remember: Callable[[Interaction], None]
    #: Passages a turn keeps at most.
    passages: int
    deadline_seconds: float = 120.0
    #: The head is believed from this confidence on; below it a small model is asked, for so many seconds.
    classify_threshold: float = 0.6
    classify_seconds: float = 1.5
    tool_limits: ToolLimits = ToolLimits()
