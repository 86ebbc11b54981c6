"""Labelled commands over every class of the rules: each is decided as its label says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from plugins.kubernetes.agent_gateway_kubernetes.grammar import judge_text

HERE = Path(__file__).parent
#: What the tool's verdicts are called in the corpus.
DECISIONS = {"allow": "read", "ask": "approve", "deny": "deny"}
LINE = re.compile(r"(read|approve|deny)\s+(.*)")


def labelled(part: str) -> list[tuple[str, str]]:
    """Decision and command, of each line of a file."""
    lines = (HERE / f"labelled_commands_{part}.txt").read_text().splitlines()
    found = [LINE.fullmatch(line) for line in lines if line and line[0] not in "#["]
    assert all(found)
    return [(each[1], each[2]) for each in found if each]


@pytest.mark.parametrize("part", ["reads", "writes", "never"])
def test_each_command_is_decided_as_its_label_says(part: str) -> None:
    rows = labelled(part)
    assert len(rows) > 80
    wrong = [(decision, command, verdict.reason) for decision, command in rows
             if DECISIONS[(verdict := judge_text(command)).decision] != decision]  # fmt: skip
    assert wrong == []


def test_who_is_asked_or_refused_is_told_why() -> None:
    for part in ("reads", "writes", "never"):
        for decision, command in labelled(part):
            reason = judge_text(command).reason
            assert bool(reason) == (decision != "read"), command
            assert "\n" not in reason
            assert len(reason) < 300


@pytest.mark.parametrize("given", [None, 7, b"kubectl get pods", ["kubectl"], {"a": 1}, "\ud800", "\0", "[" * 100_000])
def test_whatever_is_given_is_denied_and_raises_nothing(given: Any) -> None:
    assert judge_text(given).decision == "deny"
    assert judge_text("kubectl apply -f -", given).decision in {"deny", "ask"}
    assert judge_text("kubectl get pods", given or 7).decision == "deny"
    assert judge_text(f"kubectl patch deploy web -p '{given}'").decision == "deny"
