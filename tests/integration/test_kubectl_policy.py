"""The policy on kubectl commands: right on the corpus, and no mutation of a command is judged more mildly."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import kubectl_policy
from benchmarks.figures import quantile


@pytest.fixture(scope="module")
def rows(assets: Path) -> list[kubectl_policy.Row]:
    return kubectl_policy.read_corpus(assets / "kubectl" / "corpus.jsonl")


def test_the_corpus_is_decided_without_a_fault(rows: list[kubectl_policy.Row]) -> None:
    assert len(rows) > 400
    assert kubectl_policy.wrong_of(rows) == []


def test_no_mutation_weakens_a_decision(rows: list[kubectl_policy.Row]) -> None:
    trial = kubectl_policy.try_mutations([*rows, *kubectl_policy.read_own()], count=4000, seed=7)
    assert len(trial.tried) == 12
    assert list(trial.weaker) == []


def test_a_decision_takes_less_than_a_millisecond(rows: list[kubectl_policy.Row]) -> None:
    assert quantile(kubectl_policy.time_decisions(rows, rounds=3), 0.9) < kubectl_policy.MOST_MILLISECONDS
