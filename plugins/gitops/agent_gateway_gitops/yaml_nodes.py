"""YAML as nodes that know where in the text they stand, by ruamel.yaml."""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

import agent_gateway as ag

__all__ = ["MappingNode", "Node", "ScalarNode", "SequenceNode", "compose", "events", "span"]


def compose(text: str) -> list[Node]:
    """The documents of a text, empty ones left out; `InvalidInput` when it is no YAML."""
    try:
        return [node for node in YAML(typ="rt", pure=True).compose_all(text) if node is not None]
    except (YAMLError, RecursionError, ValueError) as error:
        raise _unreadable(error) from None


def events(text: str) -> list[tuple[str, str]]:
    """What a parser sees in a text: kinds of events with their values, anchors and aliases."""
    try:
        return [_event(each) for each in YAML(typ="rt", pure=True).parse(text)]
    except (YAMLError, RecursionError, ValueError) as error:
        raise _unreadable(error) from None


def span(node: Node) -> tuple[int, int]:
    """Where a node begins and ends, in characters."""
    return node.start_mark.index, node.end_mark.index


def _event(event: Any) -> tuple[str, str]:
    return type(event).__name__, f"{getattr(event, 'anchor', '')}|{getattr(event, 'value', '')}"


def _unreadable(error: BaseException) -> ag.InvalidInput:
    mark = getattr(error, "problem_mark", None)
    line = f" at line {mark.line + 1}" if mark is not None else ""
    return ag.InvalidInput(f"it is no YAML that can be read{line}", code="yaml_unreadable")
