"""Data of Kubernetes Secrets in YAML and JSON, whatever the keys are called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from agent_gateway.redaction.tokens import Span

_KIND = re.compile(r"""["']?kind["']?[ \t]*:[ \t]*["']?Secret["']?[ \t]*(?:,[ \t]*)?\r?$""", re.MULTILINE)
_DATA_LINE = re.compile(r"""(?:- )?["']?(?:data|stringData)["']?[ \t]*:$""")
_ENTRY = re.compile(r"""[ \t]*(?:"[^"\n]*"|'[^'\n]*'|[^\s:#]+)[ \t]*:[ \t]+(\S[^\n]*)""")
_JSON_DATA = re.compile(r"""\\{0,3}"(?:data|stringData)\\{0,3}"\s{0,80}:\s{0,80}\{([^{}]*)\}""")
_JSON_KIND = re.compile(r"""\\{0,3}"kind\\{0,3}"\s{0,80}:\s{0,80}\\{0,3}"([A-Za-z]+)\\{0,3}\"""")
_JSON_VALUE = re.compile(r""":\s{0,80}\\{0,3}"((?:[^"\\]|\\(?!")[^"])*)\\{0,3}\"""")
_FLOW_DATA = re.compile(r"\b(?:data|stringData)[ \t]*:[ \t]*\{([^{}\n]*)\}")
_FLOW_VALUE = re.compile(r""":[ \t]*["']?([^\s,"'}]+)""")


def find_secret_data(text: str) -> Iterator[Span]:
    """Yield the values of every Secret's `data` and `stringData`."""
    if "ecret" not in text or "ata" not in text:
        return
    if '"' in text:
        yield from _in_json(text)
    if _KIND.search(text):
        yield from _in_yaml(text)


def _in_json(text: str) -> Iterator[Span]:
    kinds = [(found.start(), found[1]) for found in _JSON_KIND.finditer(text)]
    if not any(kind == "Secret" for _, kind in kinds):
        return
    number = 0
    for data in _JSON_DATA.finditer(text):
        while number < len(kinds) and kinds[number][0] < data.start():
            number += 1
        # Keys may stand in any order: the kind is the next or the last one named.
        if any(kind == "Secret" for _, kind in kinds[max(0, number - 1) : number + 1]):
            yield from (found.span(1) for found in _JSON_VALUE.finditer(text, *data.span(1)) if found[1])


#: A value on the next lines, a placeholder, a reference.
_NO_VALUE = ("|", ">", "<", "${", "{{", "[redacted]")


@dataclass
class _Mapping:
    """A mapping that is being read: how deep it is, whether it is a Secret, and the lines that begin its data."""

    indent: int
    secret: bool = False
    data: list[int] = field(default_factory=list)


def _in_yaml(text: str) -> Iterator[Span]:
    lines = [(found.start(), found[0]) for found in re.finditer(r"[^\n]*\n?", text) if found[0]]
    data = sorted((number, mapping.indent) for mapping in _mappings(lines) if mapping.secret for number in mapping.data)
    read = 0
    for number, indent in data:
        start, line = lines[number]
        flow = _FLOW_DATA.search(line)
        if flow is not None:
            values = _FLOW_VALUE.finditer(line, *flow.span(1))
            yield from ((start + found.start(1), start + found.end(1)) for found in values)
        elif number >= read:  # else it lies within data that was read already
            read = _end(lines, number + 1, indent)
            yield from _entries(lines[number + 1 : read])


def _mappings(lines: list[tuple[int, str]]) -> Iterator[_Mapping]:
    """Yield every mapping once all of its lines were seen."""
    opened: list[_Mapping] = []
    for number, (_, line) in enumerate(lines):
        inside = line.strip()
        if not inside:
            continue
        indent = -1 if inside.startswith("---") else _indent(line)
        while opened and (opened[-1].indent > indent or (opened[-1].indent == indent and inside.startswith("- "))):
            yield opened.pop()
        if not opened or opened[-1].indent < indent:
            opened.append(_Mapping(indent))
        opened[-1].secret |= _KIND.match(inside.removeprefix("- ")) is not None
        if _DATA_LINE.match(inside) or _FLOW_DATA.search(inside):
            opened[-1].data.append(number)
    yield from opened


def _end(lines: list[tuple[int, str]], number: int, indent: int) -> int:
    """The first line from here that is not deeper than the mapping's own."""
    while number < len(lines) and (_is_empty(lines[number][1].strip()) or _indent(lines[number][1]) > indent):
        number += 1
    return number


def _is_empty(inside: str) -> bool:
    return not inside or inside.startswith("#")


def _entries(lines: list[tuple[int, str]]) -> Iterator[Span]:
    """Yield the values of lines."""
    for start, line in lines:
        inside = line.strip()
        if _is_empty(inside):
            continue
        entry = _ENTRY.match(line)
        value = entry[1].rstrip() if entry else "" if inside.endswith(":") else inside
        if value and not value.startswith(_NO_VALUE):
            at = start + line.index(value, entry.start(1) if entry else 0)
            yield at, at + len(value)


def _indent(line: str) -> int:
    """How deep a line is; the first key of an item of a list is as deep as the others."""
    inside = line.lstrip(" \t")
    depth = len(line) - len(inside)
    return depth + 2 if inside.startswith("- ") else depth
