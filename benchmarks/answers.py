"""How good retrieval, abstention and floor answers are, on questions that nothing was fitted on.

    python -m benchmarks.answers [--split test|dev]

Plain hybrid search is LanceDB's own over the same chunks in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from sklearn.metrics import roc_auc_score

from agent_gateway.intent import Intent
from agent_gateway.interfaces import GenerationRequest, Passage, SearchResult
from agent_gateway.knowledge.ranker import Ranker, load_ranker
from agent_gateway.knowledge.search import search_collections
from agent_gateway.models.extractive import ExtractiveModel, choose_sentences
from agent_gateway.persona import Persona
from benchmarks.corpus import PUBLIC, Corpus, open_corpus
from benchmarks.questions import Question, collapse, contains, load

#: Passages asked for when documents are ranked, and passages a turn keeps.
RANKED, KEPT = 100, 5


@dataclass(frozen=True)
class Outcome:
    """One question: at which place its page was found (0: not), ours and plain, the scores, and the floor's answer."""

    question: Question
    place: int
    plain_place: int
    score: float
    cosine: float
    answered: bool
    response: str
    sentences: int
    right: bool
    verbatim: bool


def place_of(sources: Sequence[str], wanted: str | None) -> int:
    """The place of a page among the pages of a ranking, from 1; 0 when it is not there."""
    pages = list(dict.fromkeys(sources))
    return pages.index(wanted) + 1 if wanted in pages else 0


async def answer(passages: tuple[Passage, ...], question: str) -> str:
    """The floor's answer."""
    request = GenerationRequest(
        persona=Persona(id="bench", title="Bench", prompt=""),
        abilities=(),
        question=question,
        message=question,
        intent=Intent(category="query", complexity="low", reasoning_depth=0, accuracy_requirement=1, confidence=1.0),
        passages=passages,
        answerable=True,
        collections=("public",),
        history=(),
    )
    return "".join([piece.text async for piece in ExtractiveModel().generate(request)])


def is_verbatim(passages: tuple[Passage, ...], response: str) -> bool:
    """Whether every sentence of an answer stands in one of the passages, and the answer holds nothing else."""
    chosen = choose_sentences(passages)
    rest = response
    for choice in chosen:
        if choice.text not in passages[choice.passage].text or choice.text not in rest:
            return False
        rest = rest.replace(choice.text, "", 1)
    return not collapse("".join(character for character in rest if character not in "[]0123456789"))


async def ask(corpus: Corpus, ranker: Ranker, question: Question) -> Outcome:
    """Ask one question."""
    vector = corpus.encoder.encode_text(question.question)
    found: SearchResult = search_collections({"public": corpus.public}, ranker, question.question, vector, RANKED)
    plain = await corpus.store.hybrid("public", question.question, vector, RANKED)
    kept = found.passages[:KEPT]
    response = await answer(kept, question.question) if found.answerable else ""
    return Outcome(
        question=question,
        place=place_of([passage.source for passage in found.passages], question.source),
        plain_place=place_of([hit.source for hit in plain], question.source),
        score=found.score,
        cosine=float(corpus.public.cosines(vector).max()),
        answered=found.answerable,
        response=response,
        sentences=len(choose_sentences(kept)) if found.answerable else 0,
        right=contains(response, question.sentence(PUBLIC)),
        verbatim=is_verbatim(kept, response) if found.answerable else True,
    )


def reciprocal(places: Sequence[int]) -> float:
    """Mean reciprocal rank at 10."""
    return statistics.fmean(1 / place if 0 < place <= 10 else 0.0 for place in places)


def report(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """The figures."""
    asked = [outcome for outcome in outcomes if outcome.question.source is not None]
    answered = [outcome for outcome in asked if outcome.answered]
    figures = {
        "questions": len(outcomes),
        "mrr@10": reciprocal([outcome.place for outcome in asked]),
        "mrr@10 plain hybrid": reciprocal([outcome.plain_place for outcome in asked]),
        "hit@1": statistics.fmean(outcome.place == 1 for outcome in asked),
        "hit@1 plain hybrid": statistics.fmean(outcome.plain_place == 1 for outcome in asked),
        "answerable answered": len(answered) / len(asked),
        "answers with the labelled sentence": statistics.fmean(outcome.right for outcome in answered),
        "of all answerable": statistics.fmean(outcome.right for outcome in asked),
        "median sentences": statistics.median(outcome.sentences for outcome in answered),
        "mean sentences": statistics.fmean(outcome.sentences for outcome in answered),
        "verbatim": statistics.fmean(outcome.verbatim for outcome in outcomes),
    }
    for kind in ("elsewhere", "near"):
        others = [outcome for outcome in outcomes if outcome.question.kind == kind]
        labels = [1] * len(asked) + [0] * len(others)
        both = [*asked, *others]
        figures[f"abstention auroc, {kind}"] = roc_auc_score(labels, [outcome.score for outcome in both])
        figures[f"abstention auroc, {kind}, cosine"] = roc_auc_score(labels, [outcome.cosine for outcome in both])
        figures[f"unanswerable refused, {kind}"] = statistics.fmean(not outcome.answered for outcome in others)
    return figures


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    split = parser.parse_args().split
    ranker = load_ranker()
    async with open_corpus() as corpus:
        outcomes = [
            await ask(corpus, ranker, question) for question in load(f"public_questions_{split}.jsonl", Question)
        ]
    for name, value in report(outcomes).items():
        print(f"{name:40s} {value:.3f}")


if __name__ == "__main__":
    asyncio.run(main())
