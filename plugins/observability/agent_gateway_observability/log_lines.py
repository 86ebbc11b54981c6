"""Log lines as Loki answers them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import agent_gateway as ag

from .series import show_labels
from .shapes import as_dicts
from .windows import show_clock

_NANO = 1_000_000_000
_LONGEST_LINE = 300
_LONGEST_LABELS = 150
#: Colours and the like of a terminal.
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")


class LogLine(NamedTuple):
    """A line, when it was written (seconds since 1970), and the labels of its stream."""

    moment: float
    text: str
    labels: Mapping[str, str]


def read_lines(answer: Mapping[str, Any]) -> list[LogLine]:
    """The lines of all streams, the newest first; `KeyError` and the like when it holds none."""
    if answer["data"]["resultType"] != "streams":
        raise ValueError("streams are expected")
    lines = [
        LogLine(int(entry[0]) / _NANO, _ESCAPE.sub("", str(entry[1])), stream["stream"])
        for stream in as_dicts(answer["data"]["result"])
        for entry in stream["values"]
    ]
    return sorted(lines, key=lambda line: line.moment, reverse=True)


def shorten(text: str, most: int = _LONGEST_LINE) -> str:
    """A line that stays one, and not too long."""
    return ag.excerpt(text, most)


def count_lines(lines: Sequence[LogLine]) -> str:
    """As `1 line` or `12 lines`."""
    return "1 line" if len(lines) == 1 else f"{len(lines)} lines"


def shared_labels(lines: Sequence[LogLine]) -> dict[str, str]:
    """The labels that all of some lines have in common."""
    streams = {id(line.labels): line.labels for line in lines}
    return dict(set.intersection(*(set(each.items()) for each in streams.values())))


def show_line(line: LogLine, shared: Mapping[str, str]) -> str:
    """When it was written, the labels that not all lines share, and what it says."""
    own = {name: value for name, value in line.labels.items() if name not in shared}
    labels = f"{shorten(show_labels(own), _LONGEST_LABELS)} " if own else ""
    return f"{show_clock(line.moment)} {labels}{shorten(line.text)}"
