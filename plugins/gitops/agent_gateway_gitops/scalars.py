"""Scalars: a new value in the old one's place and style, everything around it untouched."""

from __future__ import annotations

import json
import re
from typing import Any

import agent_gateway as ag

from .places import find
from .yaml_nodes import MappingNode, Node, ScalarNode, compose, events, span

Scalar = str | int | float | bool

_LONGEST_VALUE = 1000
_PLAIN = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_./@:+=-]*(?<!:)")
#: What some YAML parser or other takes for a number, a date, a truth value or nothing.
_NO_TEXT = re.compile(r"(?i)[-+]?[\d.][\d_.:eabcdefoxt z+-]*|yes|no|on|off|true|false|null|y|n")
#: Versions are text, also where somebody wrote one that looks like a number.
_TEXT_KEYS = frozenset({"tag", "newTag", "version", "appVersion", "digest"})


def replace(text: str, document: int, steps: tuple[str, ...], value: Scalar) -> str:
    """The text with another scalar at a place of one of its documents; `InvalidInput` when that cannot be."""
    node = find(compose(text)[document], steps).node
    name = ".".join(steps)
    if not isinstance(node, ScalarNode):
        raise ag.InvalidInput(f"{name} is no single value")
    begin, end = span(node)
    if text[begin : begin + 1] in {"&", "*", "!", "|", ">"} or node.anchor or "\n" in text[begin:end]:
        raise ag.InvalidInput(f"{name} is an anchor, a tagged value or a block of text, which is not edited")
    if begin == end:
        raise ag.InvalidInput(f"{name} is empty; write the whole file instead")
    converted = convert(name, node, steps[-1], value)
    changed = text[:begin] + write(converted, node.style or "") + text[end:]
    before, after = events(text), events(changed)
    differing = sum(one != other for one, other in zip(before, after, strict=False))
    if len(before) != len(after) or differing > 1 or not _holds(changed, document, steps, converted):
        raise ag.InvalidInput(f"{name} cannot be changed without changing something else")
    return changed


def add(text: str, document: int, steps: tuple[str, ...], value: Scalar) -> str:
    """The text with a key more, before the first one of the mapping it belongs to; missing mappings come with it."""
    found = find(compose(text)[document], steps)
    parent = found.parent
    name = ".".join(steps)
    if found.node is not None or not isinstance(parent, MappingNode) or any(map(_odd, found.missing)):
        raise ag.InvalidInput(f"{name} cannot be added")
    keys, last = found.missing[:-1], found.missing[-1]
    if last in _TEXT_KEYS:
        value = _as_text(value)
    if parent.flow_style or not parent.value:
        written = "".join(f"{key}: {{" for key in keys) + f"{last}: {write(value, '')}" + "}" * len(keys)
        at = span(parent)[0] + 1
        written += ", " if parent.value else ""
    else:
        first = parent.value[0][0]
        at, column = span(first)[0], first.start_mark.column
        lines = [f"{'  ' * depth}{key}:" for depth, key in enumerate(keys)]
        lines.append(f"{'  ' * len(keys)}{last}: {write(value, '')}")
        newline = "\r\n" if "\r\n" in text else "\n"
        written = "".join(line + newline + " " * column for line in lines)
    changed = text[:at] + written + text[at:]
    if len(events(changed)) != len(events(text)) + 2 + 3 * len(keys) or not _holds(changed, document, steps, value):
        raise ag.InvalidInput(f"{name} cannot be added without changing something else")
    return changed


def convert(name: str, node: ScalarNode, key: str, value: Scalar) -> Scalar:
    """The value as the kind of scalar that it replaces; `InvalidInput` when it is of another kind."""
    kind = str(node.tag).rpartition(":")[2]
    if kind in {"int", "float"} and key not in _TEXT_KEYS:
        number = _number(value, whole=kind == "int")
        if number is None:
            raise ag.InvalidInput(f"{name} is a number ({node.value}), '{value}' is none")
        return number
    if kind == "bool":
        truth = value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value).lower())
        if truth is None:
            raise ag.InvalidInput(f"{name} is true or false, '{value}' is neither")
        return truth
    return value if kind == "null" else _as_text(value)


def write(value: Scalar, style: str) -> str:
    """A scalar in YAML; text keeps the quotes of what was there, and gets some where it would be taken for more."""
    if not isinstance(value, str):
        return json.dumps(value)
    if len(value) > _LONGEST_VALUE or any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise ag.InvalidInput(f"a value is one line of at most {_LONGEST_VALUE} characters")
    if style == "'":
        return "'" + value.replace("'", "''") + "'"
    if not style and _PLAIN.fullmatch(value) and not _NO_TEXT.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _as_text(value: Scalar) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _number(value: Scalar, *, whole: bool) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int) or (isinstance(value, float) and not whole):
        return value
    try:
        return int(value) if whole and isinstance(value, str) else None if whole else float(value)
    except ValueError:
        return None


def _odd(key: str) -> bool:
    return not _PLAIN.fullmatch(key) or _NO_TEXT.fullmatch(key) is not None


def _holds(text: str, document: int, steps: tuple[str, ...], value: Scalar) -> bool:
    node: Node | Any = find(compose(text)[document], steps).node
    return isinstance(node, ScalarNode) and node.value == (_as_text(value))
