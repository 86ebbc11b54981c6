"""Groups log lines that differ in numbers, names and addresses only: what happens how often, and since when."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import agent_gateway as ag

from .log_lines import shorten
from .windows import show_clock

_LONGEST_LINE = 600
_LONGEST_TEMPLATE = 200
_LONGEST_EXAMPLE = 240
_EDGE = r"(?<![A-Za-z0-9_])"
_END = r"(?![A-Za-z0-9_])"
#: Of an IPv6 address.
_GROUP = "[0-9a-fA-F]{1,4}"
#: What differs from line to line and means the same, in the order in which it is looked for.
_MASKS = (
    ("UUID", r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    ("TIME", r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?"),
    ("IP", r"\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?::\d{1,5})?"),
    ("MAC", r"(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}"),
    ("TIME", r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"),
    ("IP", rf"{_GROUP}(?::{_GROUP}){{7}}|(?:{_GROUP}(?::{_GROUP}){{0,6}})?::(?:{_GROUP}(?::{_GROUP}){{0,6}})?"),
    ("DURATION", r"\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h)(?:\d+(?:\.\d+)?(?:ms|s|m))*"),
    ("HEX", r"0x[0-9a-fA-F]+|(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}|(?=[0-9A-F]*[0-9])[0-9A-F]{16,64}"),
    ("NUM", r"[-+]?\d+(?:\.\d+)?"),
)
_MESSAGE_KEYS = ("msg", "message", "error", "event", "log")
_LEVEL_KEYS = ("level", "severity", "lvl")


class Pattern(NamedTuple):
    """What lines have in common, how many they are, when the first and the last was written, and the last one."""

    template: str
    lines: int
    first: float
    last: float
    example: str


def find_patterns(lines: Sequence[tuple[float, str]]) -> list[Pattern]:
    """The patterns of lines, each (seconds since 1970, text), the most frequent first."""
    miner = _make_miner()
    groups: dict[int, list[tuple[float, str]]] = {}
    for moment, text in sorted(lines):
        mined = miner.add_log_message(_what_it_says(text) or "(an empty line)")
        groups.setdefault(mined["cluster_id"], []).append((moment, text))
    templates = {cluster.cluster_id: cluster.get_template() for cluster in miner.drain.clusters}
    found = [
        Pattern(templates[number], len(group), group[0][0], group[-1][0], group[-1][1])
        for number, group in groups.items()
    ]
    return sorted(found, key=lambda pattern: (-pattern.lines, -pattern.last))


def show_patterns(patterns: Sequence[Pattern], most: int) -> list[str]:
    """Two lines for each pattern, and one for those that are left out."""
    shown: list[str] = []
    for each in patterns[:most]:
        times = show_clock(each.last)
        times = times if each.lines == 1 else f"{show_clock(each.first)} to {times}"
        template, example = shorten(each.template, _LONGEST_TEMPLATE), shorten(each.example, _LONGEST_EXAMPLE)
        shown.append(f"{each.lines}x {template} ({times})")
        if example != template:
            shown.append(f"   as in: {example}")
    left = patterns[most:]
    if left:
        shown.append(f"{len(left)} more patterns of {sum(each.lines for each in left)} lines are cut off.")
    return shown


def _make_miner() -> Any:
    # Only for whoever asks for logs: importing it takes a while. It says nothing of its types.
    drain, masking = import_module("drain3"), import_module("drain3.masking")

    logging.getLogger("drain3").setLevel(logging.CRITICAL)
    config = import_module("drain3.template_miner_config").TemplateMinerConfig()
    config.profiling_enabled = False
    config.drain_max_clusters = None
    config.masking_instructions = [
        masking.MaskingInstruction(f"{_EDGE}(?:{pattern}){_END}", name) for name, pattern in _MASKS
    ]
    return drain.TemplateMiner(persistence_handler=None, config=config)


def _what_it_says(text: str) -> str:
    """The line without its fields where it is a JSON object with a message; cut, for masking a long one takes long."""
    if text.startswith("{") and len(text) < 20_000:
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError):
            fields = None
        if isinstance(fields, dict):
            said = next((fields[key] for key in _MESSAGE_KEYS if isinstance(fields.get(key), str)), "")
            level = next((fields[key] for key in _LEVEL_KEYS if isinstance(fields.get(key), str)), "")
            text = f"{level} {said}".strip() if said else text
    return ag.excerpt(text, _LONGEST_LINE)
