"""Scalars are replaced in place: what stands around them stays as it is, byte for byte."""

from __future__ import annotations

import pytest
from plugins.gitops.agent_gateway_gitops.scalars import add, replace
from plugins.gitops.agent_gateway_gitops.yaml_nodes import compose

import agent_gateway as ag

TEXT = """\
# Überschrift 😀
a: 1  # one
quoted: 'it''s'   # kept
double: "x"
tag: 1.20
on: true
empty:
anchor: &x v1
alias: *x
typed: !!str 5
block: |
  text
flow: {b: c, d: [e]}
list:
- name: web
  image: nginx:1.2
-   name: side
    image: side:1
"""


@pytest.mark.parametrize(
    ("place", "value", "old", "new"),
    [
        (("a",), 2, "a: 1  # one", "a: 2  # one"),
        (("a",), "2", "a: 1  # one", "a: 2  # one"),
        (("quoted",), "don't", "'it''s'   #", "'don''t'   #"),
        (("double",), 'say "hi"', '"x"', '"say \\"hi\\""'),
        (("tag",), "1.21", "tag: 1.20", 'tag: "1.21"'),
        (("tag",), "v2", "tag: 1.20", "tag: v2"),
        (("on",), "FALSE", "on: true", "on: false"),
        (("flow", "b"), "x, y: z", "b: c", 'b: "x, y: z"'),
        (("flow", "d", "0"), "no", "[e]", '["no"]'),
        (("list", "side", "image"), "side:2", "side:1", "side:2"),
        (("list", "0", "image"), "a: b", "nginx:1.2", '"a: b"'),
    ],
)
def test_only_the_scalar_changes(place: tuple[str, ...], value: str | int, old: str, new: str) -> None:
    assert replace(TEXT, 0, place, value) == TEXT.replace(old, new)


@pytest.mark.parametrize("place", ["anchor", "alias", "empty", "typed", "block", "flow", "list", "missing"])
def test_what_is_more_than_a_plain_value_is_left_alone(place: str) -> None:
    with pytest.raises(ag.InvalidInput):
        replace(TEXT, 0, (place,), "x")


@pytest.mark.parametrize(("place", "value"), [("a", "one"), ("a", 1.5), ("on", "maybe"), ("double", "a\nb")])
def test_a_value_of_another_kind_is_refused(place: str, value: str | float) -> None:
    with pytest.raises(ag.InvalidInput):
        replace(TEXT, 0, (place,), value)


@pytest.mark.parametrize("value", ["yes", "1.20", "1e3", "0x1f", "2024-01-01", "12:30", "null", "~", "true", "", "- a"])
def test_text_stays_text_for_every_parser(value: str) -> None:
    (root,) = compose(replace("tag: v1\n", 0, ("tag",), value))
    assert root.value[0][1].style == '"'
    assert root.value[0][1].value == value


def test_lines_keep_their_ends() -> None:
    assert replace("a: 1\r\nb: 2\r\n", 0, ("b",), 3) == "a: 1\r\nb: 3\r\n"
    assert add("spec:\r\n  b: 2\r\n", 0, ("spec", "a"), 1) == "spec:\r\n  a: 1\r\n  b: 2\r\n"


def test_the_right_document_of_a_file_is_changed() -> None:
    assert replace("a: 1\n---\na: 1\n", 1, ("a",), 2) == "a: 1\n---\na: 2\n"


def test_keys_are_added_with_what_is_missing_above_them() -> None:
    assert add("spec:\n    a: 1\n", 0, ("spec", "values", "x"), True) == "spec:\n    values:\n      x: true\n    a: 1\n"
    assert add("spec: {}\n", 0, ("spec", "values", "x"), 1) == "spec: {values: {x: 1}}\n"
    assert add("- a: 1\n", 0, ("0", "tag"), 2) == '- tag: "2"\n  a: 1\n'


@pytest.mark.parametrize("key", ["a: b", "#", "x\ny", "yes", "<<"])
def test_keys_that_are_more_than_a_name_are_not_added(key: str) -> None:
    with pytest.raises(ag.InvalidInput):
        add("spec:\n  a: 1\n", 0, ("spec", key), 1)
