"""Three small linear models over the features: which chunk, whether at all, and which sentences.

The weights in `data/ranker.json` were fitted by `benchmarks/fit_ranker.py` on labelled questions.
"""

from __future__ import annotations

import importlib.resources
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from agent_gateway.knowledge.features import CHUNK_FEATURES, QUERY_FEATURES, SENTENCE_FEATURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


class LinearModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A weight per feature by name, and a bias."""

    weights: dict[str, float]
    bias: float = 0.0

    def score(self, features: Floats, names: tuple[str, ...]) -> Floats:
        """The weighted sums of features whose last axis is `names`."""
        weights = np.array([self.weights[name] for name in names], dtype=np.float32)
        return np.asarray(features @ weights + np.float32(self.bias), dtype=np.float32)


class Ranker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fitted models; `threshold` is the probability from which a query counts as answerable."""

    chunk: LinearModel
    query: LinearModel
    sentence: LinearModel
    threshold: float

    def rank(self, features: Floats) -> Floats:
        """A score per candidate chunk; differences are log odds that one answers rather than the other."""
        return self.chunk.score(features, CHUNK_FEATURES)

    def answerable(self, features: Floats) -> float:
        """The calibrated probability that the collection answers the query."""
        return float(_sigmoid(self.query.score(features, QUERY_FEATURES)))

    def sentences(self, features: Floats) -> Floats:
        """The score of each sentence; differences are log odds that one answers rather than the other."""
        return self.sentence.score(features, SENTENCE_FEATURES)


def load_ranker() -> Ranker:
    """The packaged models."""
    data = importlib.resources.files("agent_gateway").joinpath("data/ranker.json").read_bytes()
    return msgspec.json.decode(data, type=Ranker)


def _sigmoid(value: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-value)), dtype=np.float32)
