"""The head that comes with the package is the one its examples would give."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from agent_gateway.config import Configuration
from agent_gateway.graph.intent_fit import Examples
from agent_gateway.graph.intent_head import load_packaged_head
from agent_gateway.graph.out_of_scope import load_out_of_scope
from agent_gateway.knowledge.encoders.weights import SHA256
from agent_gateway.plugins import load_plugins
from agent_gateway.registry import build_registry


@pytest.fixture
def examples(tmp_path: Path) -> Examples:
    """What a gateway learns from that has no plugins."""
    registry = build_registry(Configuration(), load_plugins(tmp_path, frozenset()))
    return Examples(dict(registry.examples), load_out_of_scope())


def test_the_packaged_head_was_fitted_from_the_packaged_examples(examples: Examples) -> None:
    head = load_packaged_head(examples.digest(f"{SHA256} int8"))
    assert head is not None, "run `python -m benchmarks.fit_intents`"


def test_the_packaged_head_is_nobody_else_s(examples: Examples) -> None:
    assert load_packaged_head(examples.digest(f"{SHA256} fp32")) is None
    more = Examples(examples.intents, (*examples.out_of_scope, "sing a song"))
    assert load_packaged_head(more.digest(f"{SHA256} int8")) is None


def test_there_are_enough_different_examples(examples: Examples) -> None:
    assert set(examples.intents) == {"deploy", "query", "troubleshoot", "analyze", "train", "chat"}
    texts = [example.text.strip().lower() for group in examples.intents.values() for example in group]
    assert min(len(group) for group in examples.intents.values()) >= 60
    assert len(examples.out_of_scope) >= 100
    assert [text for text, times in Counter(texts).items() if times > 1] == []
    assert set(texts).isdisjoint(text.strip().lower() for text in examples.out_of_scope)
