"""Whether a change is about values that may not be shown: then its preview must not tell what they are either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import agent_gateway as ag

from .pruning import conceal


def check_tests(found: Mapping[str, Any], operations: Sequence[Mapping[str, Any]]) -> None:
    """Raise `InvalidInput` for a JSON patch that tests a value which is not shown: its dry run would tell the value."""
    (shown,) = conceal([found])
    for each in operations:
        if each.get("op") == "test" and _at(shown, each["path"]) != _at(found, each["path"]):
            raise ag.InvalidInput(f"the value at {each['path'][:200]} is not shown, and so it is not tested either")


def writes_hidden(body: Any, new: Mapping[str, Any] | None) -> bool:
    """Tell whether a body writes values that are not shown; `new` is the object as it would be then."""
    if isinstance(body, list):
        (shown,) = conceal([new])
        return any(_at(shown, each["path"]) != _at(new, each["path"]) for each in body)
    return isinstance(body, dict) and conceal([body]) != [body]


def _at(value: Any, pointer: str) -> Any:
    """What a JSON pointer leads to, None when there is nothing."""
    for name in (each.replace("~1", "/").replace("~0", "~") for each in pointer.split("/")[1:]):
        value = _item(value, name) if isinstance(value, list) else value.get(name) if isinstance(value, dict) else None
    return value


def _item(values: list[Any], name: str) -> Any:
    if name == "-":
        return values[-1] if values else None
    return values[int(name)] if name.isdecimal() and int(name) < len(values) else None
