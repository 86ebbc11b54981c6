"""What a server says, made fit to be shown: nothing that is not seen, and not too much of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import agent_gateway as ag

LONGEST_DESCRIPTION = 1000
_LONGEST_LINE = 300
#: Of what MCP allows; twice what it advises.
_LONGEST_NAME = 256
#: The fields of a schema that are only read, by a model above all.
_PROSE = frozenset({"description", "title", "$comment"})


def name_fault(name: str) -> str:
    """Why a tool's name cannot be used; it is shown in many places. Empty when it can."""
    if not name.strip() or len(name) > _LONGEST_NAME:
        return f"has a tool whose name is empty or longer than {_LONGEST_NAME} characters"
    spelt_out = ag.show_unseen(name, kept="")
    if spelt_out != name:
        return f"has a tool whose name holds characters that nobody sees: '{spelt_out}'"
    return ""


def clean_text(text: str, limit: int = LONGEST_DESCRIPTION) -> str:
    """Text of several lines without secrets and what is not seen, cut to a number of characters."""
    shown = "".join(each for each in ag.redact(text) if ag.is_seen(each)).strip()
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def clean_line(text: str, limit: int = _LONGEST_LINE) -> str:
    """Text as one short line."""
    return clean_text(" ".join(ag.redact(text).split()), limit)


def clean_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema as it is, but for the descriptions and titles in it."""
    return {key: _clean(key, value) for key, value in schema.items()}


def unseen_in_schema(schema: Mapping[str, Any]) -> bool:
    """Whether a name or value holds what is not seen; the descriptions and titles are cleaned instead."""
    return any(not ag.is_seen(each) for text in _values(schema) for each in text)


def _clean(key: str, value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value) if key in _PROSE else value
    if isinstance(value, Mapping):
        return clean_schema(value)
    return [_clean("", each) for each in value] if isinstance(value, list) else value


def _values(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, str) and key not in _PROSE:
        yield value
    elif isinstance(value, Mapping):
        for name, below in value.items():
            yield name
            yield from _values(below, name)
    elif isinstance(value, list):
        for each in value:
            yield from _values(each)
