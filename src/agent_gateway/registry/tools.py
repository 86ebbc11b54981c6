"""Checks a plugin's tools, those that were put together by hand above all."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from agent_gateway.errors import InvalidInput
from agent_gateway.tool import READ_MORE, TOOL_NAME, Tool


def settle_tool(given: Tool) -> None:
    """Check a tool; raises `InvalidInput` with the first thing that is wrong."""
    for fault in tool_faults(given):
        raise InvalidInput(f"tool '{given.name}': {fault}")


def tool_faults(given: Tool) -> Iterator[str]:
    """Yield what is wrong with a tool's fields, which nothing has checked when `tool()` did not make it."""
    # What a plugin's code puts into a struct may be of any type.
    fields: dict[str, Any] = msgspec.structs.asdict(given)
    if not isinstance(given.name, str) or not TOOL_NAME.fullmatch(given.name):
        yield "its name must be lowercase letters, digits and underscores"
    if given.name == READ_MORE:
        yield "this name is the gateway's own"
    if not isinstance(fields["description"], str) or not given.description.strip():
        yield "it must have a description: a model chooses by it"
    if not inspect.iscoroutinefunction(given.run):
        yield "its run must be an async function"
    if not (isinstance(fields["arguments"], type) and issubclass(given.arguments, msgspec.Struct)):
        yield "its arguments must be a msgspec.Struct class"
    if not isinstance(fields["parameters"], Mapping) or given.parameters.get("type") != "object":
        yield "its parameters must be a JSON schema of type object"
    if given.effect not in {"read", "write"} and not callable(given.effect):
        yield "its effect must be 'read', 'write' or a function of the arguments"
    yield from declaration_faults(given)
    if not (given.timeout_seconds > 0 and given.output_limit > 0):
        yield "its timeout and output limit must be positive"


def declaration_faults(given: Tool) -> Iterator[str]:
    """Yield what is wrong with what a tool declares beside its function."""
    for name in ("preview", "verify"):
        function = getattr(given, name)
        if function is not None and not inspect.iscoroutinefunction(function):
            yield f"its {name} must be an async function"
    for name in ("judge", "recognize"):
        function = getattr(given, name)
        if function is not None and (not callable(function) or inspect.iscoroutinefunction(function)):
            yield f"its {name} must be a plain function"
    for pattern in given.redact:
        try:
            re.compile(pattern)
        except (re.error, TypeError):
            yield f"its redact has '{pattern}', which is no regular expression"
