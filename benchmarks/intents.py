"""How well the few-shot head classifies requests that it was not fitted on, and what that costs.

python -m benchmarks.intents
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, roc_auc_score

from agent_gateway.config import Configuration
from agent_gateway.graph.intent_fit import Examples
from agent_gateway.graph.intent_head import IntentHead, load_packaged_head
from agent_gateway.graph.out_of_scope import load_out_of_scope
from agent_gateway.intent import Intent
from agent_gateway.knowledge.encoders.onnx_encoder import OnnxEncoder
from agent_gateway.plugins import load_plugins
from agent_gateway.registry import build_registry
from benchmarks.corpus import CACHE, open_corpus
from benchmarks.questions import load

ROUNDS = 3


class Request(msgspec.Struct, frozen=True):
    """A labelled request of the test split."""

    text: str
    category: str = ""
    complexity: str = ""
    reasoning_depth: int = 0
    accuracy_requirement: int = 0
    style: str = ""


def calibration_error(confidences: NDArray[Any], right: NDArray[Any], bins: int = 10) -> float:
    """The mean distance between confidence and accuracy over equal bins of confidence, weighted by their size."""
    places = np.minimum((confidences * bins).astype(int), bins - 1)
    parts = [places == number for number in range(bins) if (places == number).any()]
    return float(sum(abs(confidences[part].mean() - right[part].mean()) * part.mean() for part in parts))


def packaged_head(encoder: OnnxEncoder) -> IntentHead:
    """The head that comes with the package."""
    registry = build_registry(Configuration(), load_plugins(CACHE, frozenset()))
    examples = Examples(dict(registry.examples), load_out_of_scope())
    head = load_packaged_head(examples.digest(f"{encoder.digest} {encoder.precision}"))
    if head is None:
        raise SystemExit("the packaged head is out of date: python -m benchmarks.fit_intents")
    return head


def measure_times(encoder: OnnxEncoder, head: IntentHead, texts: Sequence[str]) -> tuple[list[float], list[float]]:
    """Milliseconds of the encoder alone, and of the whole classification, in turns."""
    alone, whole = [], []
    for text in list(texts) * ROUNDS:
        begun = time.perf_counter()
        encoder.encode_text(text)
        between = time.perf_counter()
        head.predict(text, encoder.encode_text(text), ())
        alone.append((between - begun) * 1000)
        whole.append((time.perf_counter() - between) * 1000)
    return alone, whole


def report(requests: Sequence[Request], intents: Sequence[Intent], outside: Sequence[Intent]) -> dict[str, float]:
    """The figures."""
    truth, found = [each.category for each in requests], [each.category for each in intents]
    right = np.array([a == b for a, b in zip(truth, found, strict=True)])
    confidences = np.array([each.confidence for each in intents])
    labels = [1] * len(intents) + [0] * len(outside)
    figures = {
        "requests": float(len(requests)),
        "accuracy": float(right.mean()),
        "macro-F1": float(f1_score(truth, found, average="macro")),
        "calibration error": calibration_error(confidences, right),
        "out-of-scope AUROC": float(roc_auc_score(labels, [*confidences, *(each.confidence for each in outside)])),
    }
    for style in sorted({each.style for each in requests}):
        figures[f"accuracy, {style}"] = float(
            np.mean([ok for ok, each in zip(right, requests, strict=True) if each.style == style])
        )
    for scale in ("complexity", "reasoning_depth", "accuracy_requirement"):
        same = [getattr(a, scale) == getattr(b, scale) for a, b in zip(requests, intents, strict=True)]
        figures[f"agreement, {scale}"] = statistics.fmean(same)
    return figures


async def main() -> None:
    """Measure and print."""
    requests, others = load("intents_test.jsonl", Request), load("out_of_scope_test.jsonl", Request)
    async with open_corpus() as corpus:
        encoder = corpus.encoder
        head = packaged_head(encoder)
        intents = [head.predict(each.text, encoder.encode_text(each.text), ()) for each in requests]
        outside = [head.predict(each.text, encoder.encode_text(each.text), ()) for each in others]
        alone, whole = measure_times(encoder, head, [each.text for each in requests])
    for name, value in report(requests, intents, outside).items():
        print(f"{name:34s} {value:.3f}")
    for name, times in (("encoder alone", alone), ("classify, encoder included", whole)):
        print(f"{name:34s} p50 {np.quantile(times, 0.5):.2f} ms, p95 {np.quantile(times, 0.95):.2f} ms")
    print(f"{'p95 over the encoder alone':34s} {np.quantile(whole, 0.95) / np.quantile(alone, 0.95):.2f}")


if __name__ == "__main__":
    asyncio.run(main())
