"""The few-shot head: a linear product over one sentence vector and the message's wording gives the whole intent."""

from __future__ import annotations

import importlib.resources
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agent_gateway.graph.surface import surface_features
from agent_gateway.intent import COMPLEXITIES, Intent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

#: The packaged head, below the package's folder; `benchmarks/fit_intents.py` writes it.
PACKAGED_HEAD = "data/intent_head.npz"
#: The class of messages that belong to no intent; it takes confidence away and is never returned.
OUT_OF_SCOPE = "out_of_scope"
#: What is raised for an archive that is not what was written.
_DAMAGES = (OSError, EOFError, LookupError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error)
SCALES = ("complexity", "reasoning_depth", "accuracy_requirement")


class IntentHead:
    """The fitted head. `weights[target]` has shape (dimensions + buckets, classes), `biases[target]` (classes,).

    Targets are `category` and the three scales. The cost of a prediction does not depend on the number of examples.
    """

    def __init__(self, arrays: dict[str, Floats], categories: Sequence[str]):
        self._categories = tuple(categories)
        weights = [arrays[f"{target}_weights"] for target in ("category", *SCALES)]
        self._weights = np.concatenate(weights, axis=1).astype(np.float32)
        self._biases = np.concatenate([arrays[f"{target}_biases"] for target in ("category", *SCALES)])
        self._temperature = float(arrays["temperature"])
        self._widths = [len(arrays[f"{target}_biases"]) for target in ("category", *SCALES)]
        self._values = [arrays[f"{target}_classes"].astype(int) for target in SCALES]

    def predict(self, text: str, vector: Floats, allowed: Sequence[str]) -> Intent:
        """The intent of a text with unit `vector`, among the `allowed` categories (all known ones when empty)."""
        buckets, values = surface_features(text)
        dimensions = len(vector)
        logits = vector @ self._weights[:dimensions] + self._biases
        logits += values @ self._weights[dimensions + buckets]
        category, *scales = np.split(logits, np.cumsum(self._widths)[:-1])
        name, confidence = self._choose(category / self._temperature, allowed)
        levels = [int(known[int(np.argmax(scores))]) for known, scores in zip(self._values, scales, strict=True)]
        return Intent(
            category=name,
            complexity=COMPLEXITIES[levels[0]],
            reasoning_depth=levels[1],
            accuracy_requirement=levels[2],
            confidence=round(confidence, 4),
        )

    def _choose(self, logits: NDArray[Any], allowed: Sequence[str]) -> tuple[str, float]:
        """The best allowed category; what belongs to no intent at all lowers the confidence of every one."""
        probabilities = np.exp(logits - logits.max())
        open_ = [number for number, name in enumerate(self._categories) if not allowed or name in allowed]
        open_ = [number for number in open_ if self._categories[number] != OUT_OF_SCOPE]
        outside = sum(float(probabilities[n]) for n, name in enumerate(self._categories) if name == OUT_OF_SCOPE)
        best = max(open_, key=lambda number: float(probabilities[number]))
        total = sum(float(probabilities[number]) for number in open_) + outside
        return self._categories[best], float(probabilities[best]) / max(total, 1e-12)


def load_head(path: Path, digest: str) -> IntentHead | None:
    """The head in a file written by `intent_fit.fit_head`; None when it is missing, damaged or another one's."""
    try:
        # Opened and checked here: NumPy leaves open what it cannot read, and reads what was changed.
        with path.open("rb") as file:
            with zipfile.ZipFile(file) as archive:
                if archive.testzip() is not None:
                    return None
            file.seek(0)
            with np.load(file, allow_pickle=False) as stored:
                if str(stored["digest"]) != digest:
                    return None
                arrays = {name: stored[name] for name in stored.files}
        return IntentHead(arrays, [str(name) for name in arrays["category_classes"]])
    except _DAMAGES:
        return None


def load_packaged_head(digest: str) -> IntentHead | None:
    """The head that comes with the package, if it was fitted from examples of this digest."""
    with importlib.resources.as_file(importlib.resources.files("agent_gateway").joinpath(PACKAGED_HEAD)) as path:
        return load_head(path, digest)
