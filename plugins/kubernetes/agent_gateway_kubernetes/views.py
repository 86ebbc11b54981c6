"""Objects in the forms of `-o` that are no tables. A form is read before the objects are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import agent_gateway as ag

from .columns import parse_columns, show_columns
from .paths import render
from .pruning import conceal, prune
from .template_parser import parse_template
from .yaml_text import to_yaml

#: Is given objects, and whether the one object was meant and no list; returns the text. It may take long.
View: TypeAlias = Callable[[Sequence[Any], bool], str]


def view_of(output: str, *, headers: bool = True) -> View:
    """How objects are shown as `yaml`, `json`, `jsonpath=...` or `custom-columns=...`; `InvalidInput` for another."""
    form, _, template = output.partition("=")
    forms: Mapping[str, Callable[[], View]] = {
        "yaml": lambda: lambda objects, single: to_yaml(_whole([prune(each) for each in objects], single)),
        "json": lambda: lambda objects, single: _to_json(_whole([prune(each) for each in objects], single)),
        "jsonpath": lambda: _templated(template),
        "jsonpath-as-json": lambda: _templated(template),
        "custom-columns": lambda: _in_columns(template, headers=headers),
    }
    if form not in forms or (form in {"jsonpath", "jsonpath-as-json", "custom-columns"} and not template):
        raise ag.InvalidInput(
            f"the output {output[:60]!r} is not known",
            hint="wide, yaml, json, name, jsonpath=TEMPLATE and custom-columns=SPEC are",
        )
    return forms[form]()


def _whole(shown: Sequence[Any], single: bool) -> Any:
    return shown[0] if single else {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": list(shown)}


def _to_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)


def _templated(template: str) -> View:
    parts = parse_template(template)
    return lambda objects, single: render(parts, _whole(conceal(objects), single))


def _in_columns(spec: str, *, headers: bool) -> View:
    columns = parse_columns(spec)
    return lambda objects, single: show_columns(columns, conceal(objects), headers=headers)
