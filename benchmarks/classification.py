"""The few-shot head against a small language model on requests that neither was fitted on, and both together.

    python -m benchmarks.classification --url http://127.0.0.1:11434/v1 --model llama3:8b

`--url` is any OpenAI-compatible server. The model is asked as the gateway asks it, but is given all the time it wants;
the table tells how many answers would have come too late. `--split examples` asks about the packaged examples that a
head fitted without them is unsure of: the confidences in `graph/model_classifier.py` come from there.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score

from agent_gateway.completion import ModelInfo, ModelSpec
from agent_gateway.config import ClassifySettings
from agent_gateway.graph.intent_fit import fit_head
from agent_gateway.graph.intent_head import IntentHead, load_head
from agent_gateway.graph.model_classifier import TIER, Doubt, ask_model, combine, describe_categories
from agent_gateway.intent import Intent
from agent_gateway.interfaces import CompletionPiece, CompletionTask, Standing
from agent_gateway.messages import Tier
from agent_gateway.models.direct_chat_model import DirectChatModel
from agent_gateway.persona import Persona
from benchmarks.corpus import Corpus, open_corpus
from benchmarks.fit_routing import FOLDS, packaged_examples, split
from benchmarks.intents import Request, calibration_error, packaged_head
from benchmarks.questions import load

PERSONA = Persona(id="bench", title="Bench", prompt="")
SETTINGS = ClassifySettings()
#: Seconds for one message, far more than the gateway gives.
PATIENCE = 60.0


class OneModel:
    """The small tier and nothing else: a model behind an OpenAI-compatible address; implements `Completions`."""

    def __init__(self, url: str, model: str) -> None:
        spec = ModelSpec(model=f"openai/{model}", address=url, direct=True)
        self._chat = DirectChatModel(spec)
        self._info = ModelInfo(
            model=spec.model,
            tier=TIER,
            window=spec.window,
            max_tokens=spec.max_tokens,
            temperature=spec.temperature,
            tools="none",
            schemas=True,
            count=len,
        )

    async def stream(self, task: CompletionTask) -> AsyncIterator[CompletionPiece]:
        """The answer, piece by piece."""
        async for chunk in self._chat.stream(task.build(self._info)):
            yield CompletionPiece(text=chunk.text)

    def standing(self, persona: Persona) -> Mapping[Tier, Standing]:
        """Up."""
        del persona
        return {TIER: Standing(up=True, model=self._info.model)}

    def fallbacks(self, tier: Tier) -> tuple[Tier, ...]:
        """Nowhere to go."""
        del tier
        return ()

    async def close(self) -> None:
        """Let go of the connection."""
        await self._chat.close()


@dataclass(frozen=True)
class Verdicts:
    """One request: its label, what the head says, what the model says (None: nothing usable), and the model's ms."""

    request: Request
    head: Intent
    model: Intent | None
    ms: float

    def combined(self, threshold: float, seconds: float) -> Intent:
        """What the gateway would say: the model is asked under the threshold, and believed if it is in time."""
        if self.head.confidence >= threshold or self.model is None or self.ms > seconds * 1000:
            return self.head
        return combine(self.head, self.model)

    def right(self, intent: Intent | None) -> bool:
        """Whether an intent has the labelled category."""
        return intent is not None and intent.category == self.request.category


async def ask(model: OneModel, request: Request, head: Intent, meanings: Mapping[str, str]) -> Verdicts:
    """Ask the model about one request."""
    begun = time.perf_counter()
    doubt = Doubt(
        message=request.text,
        intent=head,
        meanings=meanings,
        persona=PERSONA,
        owner="bench",
        run_id="bench",
        deadline=asyncio.get_running_loop().time() + PATIENCE,
    )
    found = await ask_model(model, doubt)
    return Verdicts(request, head, found, (time.perf_counter() - begun) * 1000)


def classify_all(head: IntentHead, corpus: Corpus, requests: Sequence[Request]) -> list[tuple[Request, Intent]]:
    """What a head says about each request."""
    return [(each, head.predict(each.text, corpus.encoder.encode_text(each.text), ())) for each in requests]


def unsure_examples(corpus: Corpus) -> list[tuple[Request, Intent]]:
    """The packaged examples under the threshold of a head that was fitted without them."""
    examples, found = packaged_examples(), list[tuple[Request, Intent]]()
    category = {each.text: name for name, group in examples.intents.items() for each in group}
    with tempfile.TemporaryDirectory() as folder:
        for fold in range(FOLDS):
            kept, held = split(examples, fold)
            path = Path(folder) / f"fold-{fold}.npz"
            fit_head(kept, np.stack([corpus.encoder.encode_text(text) for text in kept.texts()]), str(path), str(fold))
            head = load_head(path, str(fold))
            if head is None:
                raise SystemExit(f"the head of fold {fold} cannot be read back")
            requests = [
                Request(
                    text=each.text,
                    category=category[each.text],
                    complexity=each.complexity,
                    reasoning_depth=each.reasoning_depth,
                    accuracy_requirement=each.accuracy_requirement,
                )
                for each in held
            ]
            found += classify_all(head, corpus, requests)
    return [pair for pair in found if pair[1].confidence < SETTINGS.threshold]


def figures_of(verdicts: Sequence[Verdicts], intents: Sequence[Intent | None]) -> str:
    """Accuracy, macro-F1 and calibration error of the intents; an unusable one is wrong, and sure of nothing."""
    right = np.array([each.right(intent) for each, intent in zip(verdicts, intents, strict=True)])
    truth = [each.request.category for each in verdicts]
    found = ["" if intent is None else intent.category for intent in intents]
    score = f1_score(truth, found, average="macro", labels=sorted(set(truth)), zero_division=0)
    sure = np.array([0.0 if intent is None else intent.confidence for intent in intents])
    return f"{right.mean():10.3f} {score:10.3f} {calibration_error(sure, right):12.3f}"


def report(verdicts: Sequence[Verdicts], seconds: float) -> None:
    """Print the table."""
    print(f"{len(verdicts)} requests {'':24s} {'accuracy':>10s} {'macro-F1':>10s} {'calibration':>12s}")
    print(f"{'head':37s} {figures_of(verdicts, [each.head for each in verdicts])}")
    print(f"{'model':37s} {figures_of(verdicts, [each.model for each in verdicts])}")
    threshold = SETTINGS.threshold
    for label, limit in (("in time", seconds), ("with all the time it wants", PATIENCE)):
        combined = [each.combined(threshold, limit) for each in verdicts]
        print(f"{f'head, model under {threshold:g} {label}':37s} {figures_of(verdicts, combined)}")
    times = [each.ms for each in verdicts]
    print(f"model: p50 {np.quantile(times, 0.5):.0f} ms, p95 {np.quantile(times, 0.95):.0f} ms", end=", ")
    print(f"after {seconds:g} s {statistics.fmean(ms > seconds * 1000 for ms in times):.1%}", end=", ")
    print(f"unusable {statistics.fmean(each.model is None for each in verdicts):.1%}")
    for scale in ("complexity", "reasoning_depth", "accuracy_requirement"):
        head = statistics.fmean(getattr(each.head, scale) == getattr(each.request, scale) for each in verdicts)
        model = statistics.fmean(getattr(each.model, scale, None) == getattr(each.request, scale) for each in verdicts)
        print(f"agreement, {scale:25s} head {head:.3f}, model {model:.3f}")


def report_doubts(verdicts: Sequence[Verdicts]) -> None:
    """Print who is right where the head is unsure: what the confidences of `combine` are taken from."""
    doubts = [each for each in verdicts if each.head.confidence < SETTINGS.threshold and each.model is not None]
    for name, same in (("agree", True), ("differ", False)):
        part = [
            each for each in doubts if (each.model is not None and each.model.category == each.head.category) == same
        ]
        if part:
            print(
                f"under {SETTINGS.threshold:g}, they {name:6s} {len(part):4d}: head right "
                f"{statistics.fmean(each.right(each.head) for each in part):.3f} (says "
                f"{statistics.fmean(each.head.confidence for each in part):.3f}), model right "
                f"{statistics.fmean(each.right(each.model) for each in part):.3f}"
            )


async def main() -> None:
    """Ask and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--split", choices=("test", "examples"), default="test")
    parser.add_argument("--limit", type=int, default=1000, help="at most so many requests")
    arguments = parser.parse_args()
    async with open_corpus() as corpus:
        if arguments.split == "test":
            pairs = classify_all(packaged_head(corpus.encoder), corpus, load("intents_test.jsonl", Request))
        else:
            pairs = unsure_examples(corpus)
    meanings = describe_categories(sorted(packaged_examples().intents), ())
    model = OneModel(arguments.url, arguments.model)
    try:
        verdicts = [await ask(model, request, head, meanings) for request, head in pairs[: arguments.limit]]
    finally:
        await model.close()
    report(verdicts, SETTINGS.seconds)
    report_doubts(verdicts)


if __name__ == "__main__":
    asyncio.run(main())
