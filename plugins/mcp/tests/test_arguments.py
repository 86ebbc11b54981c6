"""Only arguments that follow the accepted schema are let through, and text that means a number is one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from plugins.mcp.agent_gateway_mcp.arguments import arguments_type, given_arguments, schema_fault

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "from": {"type": "string", "minLength": 2, "pattern": "^[a-z]+$"},
        "count": {"type": "integer", "maximum": 9},
        "share": {"type": "number"},
        "kind": {"enum": ["a", "b"]},
        "note": {"type": ["string", "null"]},
        "context": {"$ref": "#/$defs/place"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["from"],
    "$defs": {"place": {"type": "object", "properties": {"x": {"type": "integer"}}, "additionalProperties": False}},
}


def convert(schema: dict[str, Any], **given: Any) -> dict[str, Any]:
    found = msgspec.convert(given, arguments_type("a_tool", schema), strict=False)
    return given_arguments(schema, msgspec.structs.asdict(found))


def test_what_fits_is_kept_and_nothing_is_added() -> None:
    assert convert(SCHEMA, **{"from": "ab", "count": "7", "share": 2, "context": {"x": 1}, "note": None}) == {
        "from": "ab", "count": 7, "share": 2, "context": {"x": 1},
    }  # fmt: skip
    assert convert({"type": "object"}) == {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "missing required field `from`"),
        ({"from": "ab", "other": 1}, "unknown field `other`"),
        ({"from": 5}, "Expected `str`"),
        ({"from": "a"}, "`from`: 'a' is too short"),
        ({"from": "A1"}, "`from`: 'A1' does not match"),
        ({"from": "ab", "count": 10}, "`count`: 10 is greater than the maximum of 9"),
        ({"from": "ab", "kind": "c"}, "`kind`: 'c' is not one of"),
        ({"from": "ab", "context": {"y": 1}}, "`context`: Additional properties are not allowed"),
        ({"from": "ab", "tags": ["a", 1]}, "`tags.1`: 1 is not of type 'string'"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(given: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        convert(SCHEMA, **given)
    assert said in str(caught.value)


def test_a_null_that_is_asked_for_is_sent() -> None:
    schema = {"type": "object", "properties": {"a": {"type": ["null", "integer"]}}, "required": ["a"]}
    assert convert(schema, a=None) == {"a": None}


@pytest.mark.parametrize("below", [{"$ref": "http://127.0.0.1:1/x"}, {"$ref": "#/$defs/none"}])
def test_nothing_is_fetched_for_a_schema(below: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError, match="refers to what is not in it"):
        convert({"type": "object", "properties": {"a": below}}, a="x")


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        (SCHEMA, ""),
        ({"type": "array"}, "not that of an object"),
        ({"type": "object", "properties": {"a-b": {}}}, "'a-b' has a name that cannot be handed on"),
        ({"type": "object", "required": ["__x"]}, "'__x' has a name"),
        ({"type": "object", "properties": {"a": True}}, "'a' is not described"),
        ({"type": "object", "properties": {"a": {"anyOf": [True]}}}, "'a' is not described"),
        ({"type": "object", "properties": {"a": {"type": "text"}}}, "its input schema is none: 'text' is not valid"),
        ({"type": "object", "properties": {"a": {"enum": ["x\u200b"]}}}, "characters that nobody sees"),
        ({"type": "object", "description": "x" * 20_000}, "longer than 20000"),
        ({"type": "object", "properties": {"a": {"$schema": DRAFT_7}}}, "names a dialect further down"),
    ],
)
def test_a_schema_by_which_nothing_can_be_called_is_told(schema: dict[str, Any], fault: str) -> None:
    found = schema_fault(schema)
    assert fault in found
    assert bool(found) is bool(fault)
