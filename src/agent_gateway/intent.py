"""What a message asks for: the classifier's result, and the few-shot definition an intent is learned from."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

Complexity = Literal["low", "medium", "high"]
COMPLEXITIES: tuple[Complexity, ...] = ("low", "medium", "high")

#: Fewer examples than this cannot be learned from; the plugin that registers such an intent is disabled.
MINIMUM_EXAMPLES = 8


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """The classifier's result for one message.

    `reasoning_depth`: 0 look-up, 1 one inference, 2 several sources, 3 open analysis. `accuracy_requirement`: 0 talk,
    1 informs, 2 leads to action. `confidence` is a calibrated probability that `category` is right, 0 to 1.
    """

    category: str
    complexity: Complexity
    reasoning_depth: int
    accuracy_requirement: int
    confidence: float


class IntentExample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One labelled sentence of an intent's data file (one JSON object a line)."""

    text: str
    complexity: Complexity = "low"
    reasoning_depth: int = 0
    accuracy_requirement: int = 1


class IntentDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """An intent as a plugin registers it: learned from the examples in `examples`, a JSON Lines file.

    `summary` completes the sentence "I can ..." and is used when a persona is asked what it does. `collections` are
    searched for this intent (narrowed to those of the persona); empty means the persona's own.
    """

    name: str
    summary: str
    examples: Path
    collections: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
