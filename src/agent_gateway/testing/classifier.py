"""A classifier that always says the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from agent_gateway.intent import Intent


class StaticClassifier:
    """Gives every message one intent; implements `Classifier`."""

    def __init__(self, category: str = "query", **changes: Any) -> None:
        intent = Intent(category=category, complexity="low", reasoning_depth=0, accuracy_requirement=1, confidence=0.99)
        self.intent = msgspec.structs.replace(intent, **changes)

    def predict(self, text: str, vector: Any, allowed: Sequence[str]) -> Intent:
        """The intent, whatever the text; the first allowed category when its own is not allowed."""
        del text, vector
        if allowed and self.intent.category not in allowed:
            return msgspec.structs.replace(self.intent, category=allowed[0])
        return self.intent
