"""JSONPath as kubectl writes it, read into steps: a subset, and no expression that calls anything."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

import msgspec

import agent_gateway as ag

_FIELD = re.compile(r"\.?((?:[A-Za-z0-9_/-]|\\.)+)")
_INDEX = re.compile(r"\[(-?\d+)\]")
_SLICE = re.compile(r"\[(-?\d*):(-?\d*)\]")
_QUOTED = re.compile(r"\[((?:'[^']*'|\"[^\"]*\")(?:\s*,\s*(?:'[^']*'|\"[^\"]*\"))*)\]")
_STAR = re.compile(r"\[\*\]|\.\*|\*")
_FILTER = re.compile(r"\[\?\(\s*@((?:\.(?:[A-Za-z0-9_/-]|\\.)+|\['[^']*'\]|\[-?\d+\])*)\s*(?:(==|!=|<=|>=|<|>)\s*"
                     r"('[^']*'|\"[^\"]*\"|-?[0-9.]+|true|false))?\s*\)\]")  # fmt: skip
LONGEST = 2000

Operator: TypeAlias = Literal["exists", "==", "!=", "<", "<=", ">", ">="]


class Fields(msgspec.Struct, frozen=True):
    """One field, or several."""

    names: tuple[str, ...]


class Index(msgspec.Struct, frozen=True):
    """One item of a list, counted from its end when negative."""

    number: int


class Slice(msgspec.Struct, frozen=True):
    """Items of a list."""

    start: int | None
    stop: int | None


class Star(msgspec.Struct, frozen=True):
    """Every item, or every value."""


class Descent(msgspec.Struct, frozen=True):
    """The value and everything below it."""


class Filter(msgspec.Struct, frozen=True):
    """The items that have a value at a path, or one that compares so."""

    path: tuple[Fields | Index, ...]
    operator: Operator
    value: str | float | bool | None = None


Piece: TypeAlias = Fields | Index | Slice | Star | Descent | Filter


def parse_path(text: str) -> tuple[Piece, ...]:
    """The steps of a path such as `.items[*].metadata.name`; `InvalidInput` names what is not understood."""
    if len(text) > LONGEST:
        raise ag.InvalidInput("the path is too long")
    rest = text.strip().removeprefix("$").removeprefix("@")
    steps: list[Piece] = []
    while rest and rest != ".":
        if rest.startswith(".."):
            steps.append(Descent())
            rest = rest[1:] if len(rest) > 2 and rest[2] != "[" else rest[2:]
            continue
        step, rest = _step(rest, text)
        steps.append(step)
    return tuple(steps)


def _step(rest: str, text: str) -> tuple[Piece, str]:
    if match := _STAR.match(rest):
        return Star(), rest[match.end() :]
    if match := _INDEX.match(rest):
        return Index(int(match[1])), rest[match.end() :]
    if match := _SLICE.match(rest):
        start, stop = (int(each) if each else None for each in match.groups())
        return Slice(start, stop), rest[match.end() :]
    if match := _QUOTED.match(rest):
        names = re.findall(r"'[^']*'|\"[^\"]*\"", match[1])
        return Fields(tuple(name[1:-1] for name in names)), rest[match.end() :]
    if match := _FILTER.match(rest):
        return _filter(match), rest[match.end() :]
    if match := _FIELD.match(rest):
        return Fields((_unescape(match[1]),)), rest[match.end() :]
    raise ag.InvalidInput(
        f"this part of the path is not understood: {rest[:60]!r}",
        hint="fields, [n], [*], [a:b], ['name'], .. and [?(@.field==\"value\")] are; functions are not",
    ) from None


def _filter(match: re.Match[str]) -> Filter:
    path = tuple(step for step in parse_path(match[1]) if isinstance(step, Fields | Index))
    if match[2] is None:
        return Filter(path, "exists")
    operator: Operator = match[2]  # type: ignore[assignment]  # the pattern allows nothing else
    value = _literal(match[3])
    if isinstance(value, str) and operator not in {"==", "!="}:
        # Letter by letter, the order would tell what a text is.
        raise ag.InvalidInput(f"a text is not compared by {operator}", hint="== and != are; numbers have an order")
    return Filter(path, operator, value)


def _literal(text: str) -> str | float | bool:
    if text[0] in "'\"":
        return text[1:-1]
    if text in {"true", "false"}:
        return text == "true"
    try:
        return float(text)
    except ValueError as exc:
        raise ag.InvalidInput(f"{text!r} is no number") from exc


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
