"""Fits the few-shot head from all registered examples; runs in a child process, which takes scikit-learn with it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from agent_gateway.graph.intent_head import OUT_OF_SCOPE, SCALES
from agent_gateway.graph.surface import BUCKETS, WEIGHT, surface_features
from agent_gateway.intent import COMPLEXITIES, IntentExample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

#: Part of the cache key: raise it when the features or the fit change.
VERSION = 1
#: Inverse regularisation, chosen by cross-validation on the packaged examples.
STRENGTH = 10.0
FOLDS = 3
ITERATIONS = 400
#: One typing error in so many characters of the misspelt copy of each example.
CHARACTERS_PER_ERROR = 18


class Examples(msgspec.Struct, frozen=True):
    """What a head is fitted from: category -> its examples, and texts that belong to none."""

    intents: dict[str, tuple[IntentExample, ...]]
    out_of_scope: tuple[str, ...]

    def digest(self, encoder: str) -> str:
        """The cache key of the fitted head."""
        head = f"{VERSION} {BUCKETS} {WEIGHT} {encoder}\n".encode()
        return hashlib.sha256(head + msgspec.json.encode(self, order="sorted")).hexdigest()[:32]

    def texts(self) -> list[str]:
        """All texts to encode: each example, its misspelt copy, and what is out of scope, in that order."""
        plain = [example.text for examples in self.intents.values() for example in examples]
        source = random.Random(0)  # noqa: S311 - no secret: the same errors every time keep the head reproducible
        return [*plain, *(misspell(text, source) for text in plain), *self.out_of_scope]


def misspell(text: str, source: random.Random) -> str:
    """The text with typing errors: letters swapped, dropped or doubled."""
    letters = list(text)
    for _ in range(max(1, len(text) // CHARACTERS_PER_ERROR)):
        if len(letters) < 3:
            break
        at = source.randrange(len(letters) - 1)
        if not letters[at].isalpha():
            continue
        kind = source.random()
        if kind < 0.45 and letters[at + 1].isalpha():
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
        elif kind < 0.75:
            del letters[at]
        else:
            letters.insert(at, letters[at])
    return "".join(letters)


def fit_head(examples: Examples, vectors: Floats, path: str, digest: str) -> None:
    """Fit on `examples.texts()` with their `vectors`, and write the head of this `digest` to `path` (atomically)."""
    matrix = _features(examples.texts(), vectors)
    rows = [example for group in examples.intents.values() for example in group]
    count = len(rows)
    names = [name for name, group in examples.intents.items() for _ in group]
    labels = np.array([*names, *names, *([OUT_OF_SCOPE] * len(examples.out_of_scope))])
    arrays: dict[str, Any] = {
        "digest": np.array(digest),
        "temperature": np.float32(_temperature(matrix, labels, count)),
    }
    arrays |= _linear("category", matrix, labels)
    scales = {
        "complexity": [COMPLEXITIES.index(row.complexity) for row in rows],
        "reasoning_depth": [row.reasoning_depth for row in rows],
        "accuracy_requirement": [row.accuracy_requirement for row in rows],
    }
    for target in SCALES:
        arrays |= _linear(target, matrix[: 2 * count], np.array([*scales[target], *scales[target]]))
    partial = Path(f"{path}.partial.npz")
    np.savez_compressed(partial, **arrays)
    partial.replace(path)


def _features(texts: Sequence[str], vectors: Floats) -> Any:
    """The sparse matrix of sentence vectors and wording, shape (texts, dimensions + buckets)."""
    from scipy import sparse  # noqa: PLC0415 - only the child process that fits needs it

    found = [surface_features(text) for text in texts]
    pointers = np.cumsum([0, *(len(buckets) for buckets, _ in found)])
    buckets = np.concatenate([buckets for buckets, _ in found])
    values = np.concatenate([values for _, values in found])
    wording = sparse.csr_matrix((values, buckets, pointers), shape=(len(texts), BUCKETS), dtype=np.float32)
    return sparse.hstack([sparse.csr_matrix(vectors), wording]).tocsr()


def _regression(matrix: Any, labels: NDArray[Any]) -> Any:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - see above

    return LogisticRegression(C=STRENGTH, max_iter=ITERATIONS).fit(matrix, labels)


def _linear(target: str, matrix: Any, labels: NDArray[Any]) -> dict[str, Any]:
    """Weights, biases and classes of one target; two classes become two columns, one class a constant."""
    classes = np.unique(labels)
    if len(classes) == 1:
        weights, biases = np.zeros((matrix.shape[1], 1)), np.zeros(1)
    else:
        model = _regression(matrix, labels)
        weights, biases = model.coef_.T, model.intercept_
        if weights.shape[1] == 1:
            weights = np.concatenate([-weights / 2, weights / 2], axis=1)
            biases = np.concatenate([-biases / 2, biases / 2])
    return {
        f"{target}_weights": weights.astype(np.float16),
        f"{target}_biases": biases.astype(np.float32),
        f"{target}_classes": classes,
    }


def _temperature(matrix: Any, labels: NDArray[Any], count: int) -> float:
    """The softmax temperature that makes cross-validated probabilities most likely.

    An example and its misspelt copy (`count` rows further down) are always in the same fold.
    """
    groups = np.concatenate([np.tile(np.arange(count), 2), np.arange(len(labels) - 2 * count)]) % FOLDS
    logits, truth = [], []
    for fold in range(FOLDS):
        inside = groups != fold
        if len(np.unique(labels[inside])) < 2:
            return 1.0
        model = _regression(matrix[inside], labels[inside])
        kept = np.flatnonzero(~inside & np.isin(labels, model.classes_))
        if len(model.classes_) == 2:
            return 1.0
        logits.append(model.decision_function(matrix[kept]))
        truth.append(np.searchsorted(model.classes_, labels[kept]))
    scores, right = np.concatenate(logits), np.concatenate(truth)
    grid = np.geomspace(0.3, 3, 47)
    return float(min(grid, key=lambda temperature: _loss(scores / temperature, right)))


def _loss(logits: NDArray[np.float64], right: NDArray[np.int64]) -> float:
    shifted = logits - logits.max(axis=1, keepdims=True)
    chosen = shifted[np.arange(len(right)), right]
    return float((np.log(np.exp(shifted).sum(axis=1)) - chosen).mean())
