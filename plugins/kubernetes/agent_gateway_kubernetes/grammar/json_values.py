"""Reads the YAML or JSON of manifests and patches into what JSON can hold; bombs, doubles and odd types are refused."""

from __future__ import annotations

import json
import math
from functools import cache
from typing import Any

from .command import Refused

DEEPEST = 40
MOST_VALUES = 20_000
MOST_DOCUMENTS = 50
_NOT_UNDERSTOOD = "The {} is neither YAML nor JSON."


def read_documents(text: str, what: str) -> list[Any]:
    """All documents of a text; empty ones are left out. `Refused`."""
    start = text.lstrip()[:1]
    documents = _read_json(text) if start and start in "{[" else None
    if documents is None:
        documents = _read_yaml(text, what)
    found = [each for each in documents if each is not None]
    if len(found) > MOST_DOCUMENTS:
        raise Refused(f"The {what} has more than {MOST_DOCUMENTS} documents.")
    if _measure(found, 0, what) > MOST_VALUES:
        raise Refused(f"The {what} holds more than {MOST_VALUES} values.")
    return found


def _read_json(text: str) -> list[Any] | None:
    """One JSON document, None when it is something else."""
    try:
        return [json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)]
    except (json.JSONDecodeError, RecursionError):
        return None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("A key is given twice in one object.")
    return found


def _refuse_constant(constant: str) -> Any:
    raise Refused(f"{constant} is no number.")


def _read_yaml(text: str, what: str) -> list[Any]:
    yaml, loader = _yaml()
    try:
        _look_ahead(yaml, text, what)
        return list(yaml.load_all(text, Loader=loader))
    except yaml.YAMLError as error:
        raise Refused(_NOT_UNDERSTOOD.format(what)) from error
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        # What PyYAML lets out for dates, numbers and nesting that are none.
        raise Refused(_NOT_UNDERSTOOD.format(what)) from error


def _look_ahead(yaml: Any, text: str, what: str) -> None:
    """Refuse aliases and deep nesting before anything is built: the C loader recurses without a limit, and crashes."""
    depth = 0
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, yaml.AliasEvent):
            raise Refused("Aliases are not followed: write out what '*' stands for.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise Refused(f"The {what} is nested too deeply.")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


@cache
def _yaml() -> tuple[Any, Any]:
    """The library and a loader that knows only JSON's types; imported late, since most commands come without text."""
    import yaml  # noqa: PLC0415 - takes longer than a thousand decisions

    parent: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(parent):  # type: ignore[misc] # the parent depends on how PyYAML was built
        """A SafeLoader without doubles and tags."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            if len(set(keys)) != len(node.value) or "<<" in keys:
                raise Refused("A key is given twice in one object, or is no text.")
            return dict(super().construct_mapping(node, deep=True))

    plain = ("null", "bool", "int", "float", "str", "seq", "map")
    Loader.yaml_constructors = {
        tag: make
        for tag, make in parent.yaml_constructors.items()
        if tag is None or tag.removeprefix("tag:yaml.org,2002:") in plain
    }
    Loader.add_constructor("tag:yaml.org,2002:timestamp", Loader.construct_scalar)
    return yaml, Loader


def _measure(value: Any, depth: int, what: str) -> int:
    """Count the values; `Refused` for what JSON cannot hold, and for what is nested too deeply."""
    if depth > DEEPEST:
        raise Refused(f"The {what} is nested too deeply.")
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise Refused(f"A key in the {what} is no text: put {key!r} into quotes.")
            if not key.isascii():
                raise Refused(f"The key {key[:80]!a} in the {what} is not ASCII.")
        return 1 + sum(_measure(each, depth + 1, what) for each in value.values())
    if isinstance(value, list):
        return 1 + sum(_measure(each, depth + 1, what) for each in value)
    if isinstance(value, float) and not math.isfinite(value):
        raise Refused(f"{value} in the {what} is no number.")
    if value is not None and not isinstance(value, (str, int, float)):
        raise Refused(f"The {what} holds something that is neither text nor number.")
    return 1
