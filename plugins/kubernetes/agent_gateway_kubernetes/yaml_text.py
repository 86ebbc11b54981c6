"""Objects as YAML, and the difference between two of them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import yaml

import agent_gateway as ag

from .pruning import prune, state_of

_MOST_LINES = 400


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as a block, like kubectl."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def to_yaml(value: Any) -> str:
    """YAML text, keys in alphabetical order."""
    return yaml.dump(value, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, width=200).rstrip("\n")


def show_yaml(value: Any) -> str:
    """An object, or a list of them, as YAML that may be shown."""
    return to_yaml(prune(value))


def diff_objects(
    name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, *, hides: bool = False
) -> str:
    """The unified diff of what somebody decides about an object, without secrets; empty when nothing changes.

    With `hides` values are written that are not shown: then it looks alike whether they are others than before.
    """
    before, after = ([] if each is None else ag.redact(to_yaml(_diffable(each))).splitlines() for each in (old, new))
    was, becomes = f"a/{name}" if old else "/dev/null", f"b/{name}" if new else "/dev/null"
    lines = list(difflib.unified_diff(before, after, was, becomes, lineterm="", n=3))
    if not lines and old is not None and new is not None:
        if hides:
            return f"--- {was}\n+++ {becomes}\n@@ a value that is not shown is written @@"
        if state_of(old) != state_of(new):
            return f"--- {was}\n+++ {becomes}\n@@ a value that is not shown changes @@"
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"... {len(lines) - _MOST_LINES} more lines"]
    return "\n".join(lines)


def _diffable(value: Mapping[str, Any]) -> Any:
    return prune(state_of(value))
