"""Templates of `-o jsonpath`, read into texts, paths and loops."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

import agent_gateway as ag

from .path_parser import Piece, parse_path

#: Paths and loops of one template.
MOST_EXPRESSIONS = 100
_PIECES = re.compile(r"\{((?:'[^']*'|\"(?:[^\"\\]|\\.)*\"|[^{}'\"])*)\}")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}


class Loop(msgspec.Struct, frozen=True):
    """`{range PATH} ... {end}`."""

    path: tuple[Piece, ...]
    body: tuple[Any, ...]


def parse_template(template: str) -> tuple[Any, ...]:
    """The parts of a template: text, paths and loops; text without braces is taken for a path. `InvalidInput`."""
    if "{" not in template:
        template = "{" + template + "}"
    pieces = _split(template)
    expressions = sum(1 for code, text in pieces if code and text != "end" and text[:1] not in {'"', "'"})
    if expressions > MOST_EXPRESSIONS:
        raise ag.InvalidInput(
            f"the template has {expressions} paths, and it may have {MOST_EXPRESSIONS}", hint="ask in several commands"
        )
    return _parse(iter(pieces), nested=False)


def _split(template: str) -> list[tuple[bool, str]]:
    """Text and what stands in braces, in order; True for the latter."""
    pieces: list[tuple[bool, str]] = []
    position = 0
    for match in _PIECES.finditer(template):
        pieces += [(False, template[position : match.start()]), (True, match[1].strip())]
        position = match.end()
    rest = template[position:]
    if "{" in rest or "}" in rest:
        raise ag.InvalidInput("the braces of the template do not match")
    return [*pieces, (False, rest)]


def _parse(pieces: Iterator[tuple[bool, str]], *, nested: bool) -> tuple[Any, ...]:
    parts: list[Any] = []
    for code, text in pieces:
        if not code:
            parts.append(text)
        elif text == "end":
            if not nested:
                raise ag.InvalidInput("there is an {end} without a {range}")
            return tuple(parts)
        elif text.startswith("range "):
            path = parse_path(text.removeprefix("range "))
            parts.append(Loop(path, _parse(pieces, nested=True)))
        elif text[:1] in {'"', "'"}:
            parts.append(re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), text[1:-1]))
        else:
            parts.append(parse_path(text))
    if nested:
        raise ag.InvalidInput("a {range} has no {end}")
    return tuple(parts)
