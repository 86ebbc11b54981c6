"""Reads JSON the way small models write it: in prose, in fences, with the quotes and words of Python."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

#: A reply is no longer than this, and has no more objects that are worth a look.
_LONGEST = 20_000
_MOST_OBJECTS = 20
_BRACKETS = {"{": "}", "[": "]"}
_PART = re.compile(
    r"""(?P<dangling>,\s*(?=[}\]]))|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[A-Za-z_][\w-]*|-?\d[\w.+-]*|.""", re.DOTALL
)
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', re.DOTALL)
_WORDS = {
    "True": "true", "False": "false", "None": "null", "true": "true", "false": "false", "null": "null",
    "NaN": "null", "Infinity": "null", "undefined": "null",
}  # fmt: skip


def find_values(text: str) -> Iterator[Any]:
    """The objects and lists in a text, outermost ones, in order; what cannot be read is looked into."""
    text = text[:_LONGEST]
    position = 0
    for _ in range(_MOST_OBJECTS):
        found = re.compile(r"[{\[]").search(text, position)
        if found is None:
            return
        raw = _span(text, found.start())
        value = load(raw) if raw else None
        if value is None:
            position = found.end()
            continue
        yield value
        position = found.start() + len(raw)


def load(text: str) -> Any:
    """The value of a text that is JSON, or nearly; None when it is not, or nothing that can be passed on."""
    for attempt in (text, _mend(text)):
        try:
            value = json.loads(attempt, strict=False)
            msgspec.json.encode(value)
        except (ValueError, RecursionError, msgspec.MsgspecError, OverflowError):
            continue
        return value
    return None


def _span(text: str, start: int) -> str:
    """From a bracket to its partner; closed here when only the last brackets are missing. Empty when it is cut."""
    expected: list[str] = []
    position = start
    while position < len(text):
        character = text[position]
        if character in "\"'":
            quoted = _QUOTED.match(text, position)
            if quoted is None:
                return ""
            position = quoted.end()
            continue
        if character in _BRACKETS:
            expected.append(_BRACKETS[character])
        elif character in "}]":
            if character != expected.pop():
                return ""
            if not expected:
                return text[start : position + 1]
        position += 1
    body = text[start:].rstrip().removesuffix("```").rstrip()
    # A number or word at the end may have been longer.
    return body + "".join(reversed(expected)) if body.endswith(("}", "]", '"', "'")) else ""


def _mend(text: str) -> str:
    return "".join("" if found["dangling"] else _mend_part(found[0]) for found in _PART.finditer(text))


def _mend_part(part: str) -> str:
    if part[0] == "'" and len(part) > 1:
        return _requote(part)
    if part[0].isalpha() or part[0] == "_":
        return _WORDS.get(part, json.dumps(part))
    return part


def _requote(part: str) -> str:
    try:
        return json.dumps(ast.literal_eval(part))
    except (ValueError, SyntaxError):
        return json.dumps(part[1:-1])
