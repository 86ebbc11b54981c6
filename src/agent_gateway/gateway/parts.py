"""Parts of a gateway that can be brought ready-made instead of being prepared at the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent_gateway.interfaces import Classifier, Encoder, Knowledge, Model
from agent_gateway.messages import Tier


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a test or an embedding program brings along; what is None is prepared as usual.

    With `knowledge` no documents are ingested and nothing is remembered there. `models` replace those of their tiers.
    """

    encoder: Encoder | None = None
    classifier: Classifier | None = None
    knowledge: Knowledge | None = None
    models: Mapping[Tier, Model] = field(default_factory=dict)
