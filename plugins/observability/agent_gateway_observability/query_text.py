"""What PromQL and LogQL have in common: strings, comments and brackets, and where a mistake is."""

from __future__ import annotations

import re

import agent_gateway as ag

LONGEST_QUERY = 2000
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_STRING = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|`[^`]*`')
_COMMENT = re.compile(r"#[^\n]*")
#: A selector without a name or a value of a label matches everything if it consists of these alone.
_EVERYTHING = re.compile(r"[\^$()?:|.*+]*")


def fault(language: str, query: str, position: int, what: str) -> ag.InvalidInput:
    """The error of a wrong query, with the place: `position` counts characters from 0."""
    rest = " ".join(query[position : position + 30].split())
    where = f"at character {position + 1}, `{rest}`" if rest else "at its end"
    return ag.InvalidInput(f"the {language} is wrong {where}: {what}", code="invalid_query")


def check_length(language: str, query: str) -> str:
    """The query without white space around it; `InvalidInput` when it is empty or too long."""
    query = query.strip()
    if not query:
        raise ag.InvalidInput(f"the {language} query is empty", code="invalid_query")
    if len(query) > LONGEST_QUERY:
        raise ag.InvalidInput(
            f"the {language} query has {len(query)} characters, at most {LONGEST_QUERY} are allowed",
            code="invalid_query",
        )
    return query


def blank_strings(language: str, query: str) -> str:
    """The query with its strings and comments as spaces, so that positions stay; `InvalidInput` for an open string."""
    blank: list[str] = []
    position = 0
    while position < len(query):
        character = query[position]
        found = (_STRING if character in "\"'`" else _COMMENT).match(query, position)
        if character in "\"'`" and found is None:
            raise fault(language, query, position, "this string is not closed")
        length = len(found[0]) if found is not None else 1
        blank.append(" " * length if found is not None else character)
        position += length
    return "".join(blank)


def check_brackets(language: str, query: str, blank: str) -> int:
    """How deep brackets are nested; `InvalidInput` at the first that has no partner."""
    opened: list[int] = []
    deepest = 0
    for position, character in enumerate(blank):
        if character in _CLOSING:
            opened.append(position)
            deepest = max(deepest, len(opened))
        elif character in _CLOSING.values():
            if not opened:
                raise fault(language, query, position, f"this `{character}` closes nothing")
            if _CLOSING[blank[opened[-1]]] != character:
                raise fault(language, query, opened[-1], f"this `{blank[opened[-1]]}` is closed by `{character}`")
            opened.pop()
    if opened:
        raise fault(language, query, opened[-1], f"this `{blank[opened[-1]]}` is not closed")
    return deepest


def matches_everything(pattern: str) -> bool:
    """Whether a regular expression is a way to write "anything", such as `.*` or `(.+)`."""
    return _EVERYTHING.fullmatch(pattern) is not None
