"""Fits the ranker's three linear models on the development questions and writes `data/ranker.json`.

    python -m benchmarks.fit_ranker

Each answerable question also serves as an unanswerable one over the collection without the page that answers it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from agent_gateway.knowledge.features import (
    CHUNK_FEATURES,
    QUERY_FEATURES,
    SENTENCE_FEATURES,
    Candidates,
    describe_query,
    describe_sentences,
    find_candidates,
)
from agent_gateway.knowledge.index import CollectionIndex
from agent_gateway.knowledge.ranker import LinearModel, Ranker
from benchmarks.corpus import HOMELAB, PUBLIC, Corpus, open_corpus
from benchmarks.questions import Question, collapse, contains, load

TARGET = Path(__file__).parent.parent / "src/agent_gateway/data/ranker.json"
#: A chunk of the right page without the labelled sentence is worth this much of one that has it.
SAME_PAGE = 0.1
RANK_PENALTY, SENTENCE_PENALTY = 0.05, 0.01
#: Inverse penalty of the decision, and the weight of its kinds of unanswerable questions.
DECISION_STRENGTH = 0.05
KIND_WEIGHTS = {"near": 0.4, "elsewhere": 1.0, "without": 0.2, "": 0.4}
#: Every so many-th page is also asked for by its title; its first sentences are the answer.
TITLE_STEP = 3
LEAD_SENTENCES = 3
#: Sentences are learned from this many of the best chunks.
PASSAGES = 5

Floats = NDArray[Any]


@dataclass(frozen=True)
class Case:
    """A question over one index. `right` marks the candidates: 1 has the labelled sentence, SAME_PAGE its page."""

    question: Question
    index: CollectionIndex
    vector: Floats
    candidates: Candidates
    right: Floats
    sentence: str


def collect(corpus: Corpus) -> list[Case]:
    """Every development question over its collection."""
    homelab = load("homelab_questions_dev.jsonl", Question)
    public = load("public_questions_dev.jsonl", Question)
    cases = [make_case(corpus, question, corpus.homelab, HOMELAB) for question in homelab]
    cases += [make_case(corpus, question, corpus.public, PUBLIC) for question in public]
    for index in (corpus.homelab, corpus.public):
        cases += [make_title_case(corpus, row, index) for row in np.flatnonzero(index.opening)[::TITLE_STEP]]
    return cases


def make_title_case(corpus: Corpus, row: int, index: CollectionIndex) -> Case:
    """A page asked for by its title: how it begins is the answer."""
    chunk = index.chunks[row]
    question = Question(f"What is the {chunk.title}?" if row % 2 else chunk.title, chunk.source)
    vector = corpus.encoder.encode_text(question.question)
    candidates = find_candidates(index, question.question, vector)
    right = np.array([SAME_PAGE * (index.chunks[each].source == chunk.source) for each in candidates.rows])
    right[candidates.rows == row] = 1.0
    lead = chunk.spans[:LEAD_SENTENCES]
    return Case(question, index, vector, candidates, right, collapse(chunk.text[lead[0][0] : lead[-1][1]]))


def make_case(corpus: Corpus, question: Question, index: CollectionIndex, folder: Path) -> Case:
    """One question with its candidates and their labels."""
    vector = corpus.encoder.encode_text(question.question)
    candidates = find_candidates(index, question.question, vector)
    sentence = question.sentence(folder)
    right = np.zeros(len(candidates.rows))
    for number, row in enumerate(candidates.rows):
        chunk = index.chunks[row]
        if question.source is not None and chunk.source == question.source:
            right[number] = 1.0 if contains(chunk.text, sentence) else SAME_PAGE
    return Case(question, index, vector, candidates, right, sentence)


def fit_choice(groups: Sequence[tuple[Floats, Floats]], names: tuple[str, ...], penalty: float) -> LinearModel:
    """Weights under which the softmax over each group puts its probability on the right rows."""
    stacked = np.concatenate([features for features, _ in groups])
    mean, spread = stacked.mean(axis=0), stacked.std(axis=0) + 1e-9
    scaled = [((features - mean) / spread, right / right.sum()) for features, right in groups]

    def loss(weights: Floats) -> tuple[float, Floats]:
        value, gradient = penalty * float(weights @ weights), 2 * penalty * weights
        for features, right in scaled:
            scores = features @ weights
            odds = np.exp(scores - scores.max())
            probabilities = odds / odds.sum()
            value -= float(right @ np.log(probabilities + 1e-12)) / len(scaled)
            gradient = gradient + features.T @ (probabilities - right) / len(scaled)
        return value, gradient

    found = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B").x / spread
    return LinearModel(dict(zip(names, found.tolist(), strict=True)), float(-(mean @ found)))


def fit_chunks(cases: Sequence[Case]) -> LinearModel:
    """The model that ranks chunks."""
    groups = [(case.candidates.features, case.right) for case in cases if case.right.any()]
    return fit_choice(groups, CHUNK_FEATURES, RANK_PENALTY)


def without_page(case: Case) -> Candidates:
    """The candidates as if the page that answers were not there."""
    kept = [
        number
        for number, row in enumerate(case.candidates.rows)
        if case.index.chunks[row].source != case.question.source
    ]
    features = case.candidates.features[kept]
    if not kept:
        return Candidates(case.candidates.rows[kept], features, case.candidates.weights, 0.0, 0.0, 0.0)
    column = {name: number for number, name in enumerate(CHUNK_FEATURES)}
    return Candidates(
        case.candidates.rows[kept],
        features,
        case.candidates.weights,
        case.candidates.known,
        float(features[:, column["coverage"]].max()),
        float(features[:, column["cosine"]].max()),
    )


def fit_decision(cases: Sequence[Case], chunk: LinearModel) -> LinearModel:
    """The model that decides whether a collection answers."""
    rows, labels, weights = [], [], []
    for case in cases:
        answered = case.question.source is not None
        rows.append(describe_query(case.candidates, chunk.score(case.candidates.features, CHUNK_FEATURES)))
        labels.append(answered)
        weights.append(1.0 if answered else KIND_WEIGHTS[case.question.kind])
        left = without_page(case)
        if answered and len(left.rows):
            rows.append(describe_query(left, chunk.score(left.features, CHUNK_FEATURES)))
            labels.append(False)
            weights.append(KIND_WEIGHTS["without"])
    matrix = np.array(rows)
    mean, spread = matrix.mean(axis=0), matrix.std(axis=0) + 1e-9
    model = LogisticRegression(C=DECISION_STRENGTH, max_iter=5000)
    model.fit((matrix - mean) / spread, labels, sample_weight=weights)
    found = model.coef_[0] / spread
    bias = float(model.intercept_[0] - mean @ found)
    return LinearModel(dict(zip(QUERY_FEATURES, found.tolist(), strict=True)), bias)


def fit_sentences(cases: Sequence[Case], chunk: LinearModel) -> LinearModel:
    """The model that picks sentences out of the best chunks."""
    groups = []
    for case in cases:
        if not case.sentence:
            continue
        scores = chunk.score(case.candidates.features, CHUNK_FEATURES)
        features, right = [], []
        for place, number in enumerate(np.argsort(-scores)[:PASSAGES]):
            row = int(case.candidates.rows[number])
            below = float(scores[number] - scores.max())
            features.append(
                describe_sentences(case.index, row, case.vector, case.candidates.weights, (below, place == 0))
            )
            text = case.index.chunks[row]
            right += [is_answer(text.text[start:end], case.sentence) for start, end in text.spans]
        if any(right):
            groups.append((np.concatenate(features), np.array(right, dtype=float)))
    return fit_choice(groups, SENTENCE_FEATURES, SENTENCE_PENALTY)


def is_answer(text: str, sentence: str) -> bool:
    """Whether a sentence of ours is the labelled one, or most of it."""
    return contains(text, sentence) or (len(text) > 30 and contains(sentence, text))


def fit(cases: Sequence[Case]) -> Ranker:
    """All three models."""
    chunk = fit_chunks(cases)
    return Ranker(chunk, fit_decision(cases, chunk), fit_sentences(cases, chunk), threshold=0.5)


async def main() -> None:
    """Fit on everything and write the result."""
    async with open_corpus() as corpus:
        ranker = fit(collect(corpus))
    TARGET.write_bytes(msgspec.json.format(msgspec.json.encode(ranker)) + b"\n")
    print(f"wrote {TARGET}")


if __name__ == "__main__":
    asyncio.run(main())
