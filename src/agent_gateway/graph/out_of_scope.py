"""Packaged messages that belong to no intent: the classifier learns from them when to be unsure."""

from __future__ import annotations

import importlib.resources

import msgspec


class _Line(msgspec.Struct, frozen=True):
    text: str


def load_out_of_scope() -> tuple[str, ...]:
    """The texts, in the file's order."""
    data = importlib.resources.files("agent_gateway").joinpath("data/intents/out_of_scope.jsonl").read_bytes()
    return tuple(msgspec.json.decode(line, type=_Line).text for line in data.splitlines() if line.strip())
