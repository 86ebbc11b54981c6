"""A server's schema decides what is let through, and never how long that takes."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest
from plugins.mcp.agent_gateway_mcp.arguments import arguments_type
from plugins.mcp.agent_gateway_mcp.checking import checker
from plugins.mcp.agent_gateway_mcp.patterns import Patterns

DRAFTS = [
    "http://json-schema.org/draft-04/schema#",
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
]
SLOW = "^(a+)+$"
LONG = "a" * 40 + "!"


def of_argument(below: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": below}, **more}


def tell(schema: dict[str, Any], given: Any) -> str:
    """What is wrong with an argument, found out in a moment."""
    begun = time.perf_counter()
    fault = checker(schema)({"a": given})
    assert time.perf_counter() - begun < 3
    return fault


@pytest.mark.parametrize("draft", DRAFTS)
@pytest.mark.parametrize(
    ("below", "given"),
    [
        ({"pattern": SLOW}, LONG),
        ({"$ref": "#/$defs/x"}, LONG),
        ({"patternProperties": {SLOW: {"type": "string"}}, "additionalProperties": False}, {LONG: "x"}),
        ({"patternProperties": {"^(.*)(.*)(.*)(.*)(.*)x$": {"type": "string"}}}, {"y" * 5000: "x"}),
        ({"allOf": [{"patternProperties": {SLOW: True}}], "unevaluatedProperties": False}, {LONG: "x"}),
        ({"$schema": DRAFTS[1], "pattern": SLOW}, LONG),
        ({"properties": {"b": {"$ref": "#"}}}, {"b": {"a": LONG}}),
    ],
)
def test_no_pattern_takes_long(draft: str, below: dict[str, Any], given: Any) -> None:
    tell(of_argument(below, **{"$schema": draft, "$defs": {"x": {"pattern": SLOW}}}), given)


def test_the_loop_is_not_held_up_when_a_call_is_converted() -> None:
    made = arguments_type("a_tool", of_argument({"type": "string", "pattern": SLOW}))
    assert msgspec.convert({"a": "aa"}, made)
    begun = time.perf_counter()
    with pytest.raises(msgspec.ValidationError, match="does not match"):
        msgspec.convert({"a": LONG}, made)
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_references_that_make_a_small_schema_a_large_one_are_not_followed_to_the_end(keyword: str) -> None:
    doubled = {f"d{at}": {keyword: [{"$ref": f"#/$defs/d{at + 1}"}] * 2} for at in range(40)}
    schema = of_argument({"$ref": "#/$defs/d0"}, **{"$defs": {**doubled, "d40": {"type": "string"}}})
    assert "takes too long" in tell(schema, 5)
    assert "takes too long" in tell(of_argument({"$ref": "#/properties/a"}), "x")


@pytest.mark.parametrize(
    ("below", "given", "said"),
    [
        ({"pattern": "^[a-f0-9]{8}$"}, "0a1b2c3d", ""),
        ({"pattern": "^[a-f0-9]{8}$"}, "xyz", "`a`: 'xyz' does not match '^[a-f0-9]{8}$'"),
        ({"pattern": "b"}, "abc", ""),
        ({"pattern": "b"}, 5, ""),
        ({"patternProperties": {"^x": {"type": "integer"}}}, {"x1": "1"}, "`a.x1`: '1' is not of type 'integer'"),
        ({"patternProperties": {"^x": {}}, "additionalProperties": False}, {"x1": 1}, ""),
        ({"patternProperties": {"^x": {}}, "additionalProperties": False}, {"y": 1}, "`a`: Additional properties"),
        ({"additionalProperties": {"type": "integer"}}, {"y": "1"}, "`a.y`: '1' is not of type 'integer'"),
        ({"additionalProperties": True}, {"y": "1"}, ""),
        # The server alone can tell.
        ({"pattern": "^(?!x)"}, "x", ""),
        ({"pattern": r"(a)\1"}, "b", ""),
        ({"pattern": "("}, "b", ""),
        ({"patternProperties": {"^(?!x)": {}}, "additionalProperties": False}, {"y": 1}, ""),
        ({"unevaluatedProperties": False}, {"y": 1}, ""),
    ],
)
def test_patterns_say_what_they_say_and_the_rest_is_left_to_the_server(
    below: dict[str, Any], given: Any, said: str
) -> None:
    fault = tell(of_argument(below), given)
    assert fault.startswith(said)
    assert bool(fault) is bool(said)


def test_a_recursive_schema_with_a_dialect_is_followed() -> None:
    schema = of_argument({"type": "array", "items": {"$ref": "#"}}, **{"$schema": DRAFTS[3]})
    assert tell(schema, [{"a": []}, {}]) == ""
    assert tell(schema, [{"a": [1]}]) == "`a.0.a.0`: 1 is not of type 'object'"


def test_making_patterns_ready_is_given_up_in_time() -> None:
    heavy = {f"p{at}": {"pattern": rf"\w{{{100 + at}}}"} for at in range(60)}
    begun = time.perf_counter()
    patterns = Patterns({"properties": heavy})
    assert time.perf_counter() - begun < 4
    assert patterns.match(r"\w{159}", "x") is None
