"""Places in a manifest: `spec.values.image.tag`, `spec.template.spec.containers[web].image`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import agent_gateway as ag

from .yaml_nodes import MappingNode, Node, ScalarNode, SequenceNode

_TOKEN = re.compile(r"\.?([^.\[\]]+)|\[([^\[\]]+)\]")
_LONGEST = 300


@dataclass(frozen=True)
class Found:
    """What a place leads to: the node, or the mapping at which the way ends and the keys that are missing below it."""

    node: Node | None
    parent: MappingNode | SequenceNode | None
    missing: tuple[str, ...] = ()


def parse(place: str) -> tuple[str, ...]:
    """The steps of a place; `InvalidInput` when it is none."""
    steps: list[str] = []
    at = 0
    while at < len(place):
        token = _TOKEN.match(place, at)
        if token is None:
            break
        steps.append(token[1] or token[2])
        at = token.end()
    if not steps or at < len(place) or len(place) > _LONGEST:
        raise ag.InvalidInput(f"'{place[:80]}' is no field; write it like spec.values.image.tag or images[web].newTag")
    return tuple(steps)


def find(root: Node, steps: tuple[str, ...]) -> Found:
    """Walk down. Where a key is missing the rest of the way is in `missing`; where nothing can be, `parent` is None."""
    node: Node = root
    parent: MappingNode | SequenceNode | None = None
    for index, step in enumerate(steps):
        if isinstance(node, MappingNode):
            child = entry(node, step)
            if child is None:
                return Found(node=None, parent=node, missing=steps[index:])
        elif isinstance(node, SequenceNode):
            child = _element(node, step)
            if child is None:
                return Found(node=None, parent=None)
        else:
            return Found(node=None, parent=None)
        parent, node = node, child
    return Found(node=node, parent=parent)


def entry(mapping: Node, key: str) -> Node | None:
    """The value of a key that is written in this mapping itself."""
    if isinstance(mapping, MappingNode):
        for name, value in mapping.value:
            if isinstance(name, ScalarNode) and name.value == key:
                return value  # type: ignore[no-any-return]  # ruamel's nodes have no types
    return None


def text_at(root: Node, *steps: str) -> str:
    """The scalar at a place as it is written, empty when there is none."""
    node = find(root, steps).node
    return str(node.value) if isinstance(node, ScalarNode) else ""


def _element(sequence: SequenceNode, step: str) -> Node | None:
    """An element by its `name`, else by its position."""
    named = [each for each in sequence.value if text_at(each, "name") == step]
    if len(named) == 1:
        return named[0]  # type: ignore[no-any-return]  # ruamel's nodes have no types
    if not named and step.isdecimal() and int(step) < len(sequence.value):
        return sequence.value[int(step)]  # type: ignore[no-any-return]  # as above
    return None
