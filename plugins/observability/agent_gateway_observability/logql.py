"""LogQL: enough of its grammar to refuse early what Loki would refuse, or what would read everything."""

from __future__ import annotations

import re
from typing import NamedTuple

import agent_gateway as ag

from .query_text import blank_strings, check_brackets, check_length, fault, matches_everything
from .settings import Limits
from .windows import parse_duration, show_seconds

_LANGUAGE = "LogQL"
_NAME = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*")
_OPERATOR = re.compile(r"=~|!~|!=|=")
_VALUE = re.compile(r'\s*("(?:\\.|[^"\\\n])*"|`[^`]*`)\s*')
_RANGE = re.compile(r"\[\s*([^\]]*?)\s*\]")
_METRIC = re.compile(r"\s*\(*\s*[a-z_]+\s*(?:(?:by|without)\s*\([^)]*\)\s*)?\(")


class LogQuery(NamedTuple):
    """A LogQL query. `lines`: it is about log lines, else about a metric made of them."""

    text: str
    lines: bool
    #: Starts with a selector, or a function of one: what somebody would not write by chance.
    begins_like_one: bool
    #: The lengths of its ranges in seconds.
    ranges: tuple[float, ...]


def parse_logql(query: str) -> LogQuery:
    """Understand a query; `InvalidInput` says what is wrong and where."""
    query = check_length(_LANGUAGE, query)
    blank = blank_strings(_LANGUAGE, query)
    check_brackets(_LANGUAGE, query, blank)
    starts = [found.start() for found in re.finditer(r"\{", blank)]
    if not starts:
        raise fault(_LANGUAGE, query, 0, 'it has no selector such as {app="checkout"}')
    for start in starts:
        _check_selector(query, start, blank.index("}", start))
    lines = blank.lstrip(" (\n\t").startswith("{") and "[" not in blank
    ranges = tuple(_read_range(query, found) for found in _RANGE.finditer(blank))
    if not lines and not ranges:
        raise fault(_LANGUAGE, query, 0, "a metric of log lines needs a range such as [5m]")
    return LogQuery(query, lines, lines or _METRIC.match(blank) is not None, ranges)


def check_logql(query: str, limits: Limits) -> LogQuery:
    """Understand a query; `InvalidInput` also for ranges that read too much."""
    parsed = parse_logql(query)
    if max(parsed.ranges, default=0.0) > limits.log_range_seconds:
        most = show_seconds(limits.log_range_seconds)
        raise ag.InvalidInput(
            f"this LogQL is too expensive: it reads [{show_seconds(max(parsed.ranges))}]",
            code="query_too_large",
            hint=f"at most [{most}] is allowed",
        )
    return parsed


def _check_selector(query: str, start: int, end: int) -> None:
    """Read `{name="value", ...}`, and find a matcher that leaves something out."""
    position, narrow = start + 1, False
    while True:
        name = _NAME.match(query, position, end)
        if name is None:
            if not query[start + 1 : end].strip():
                raise fault(_LANGUAGE, query, start, "this selector is empty")
            raise fault(_LANGUAGE, query, position, "a label's name must stand here")
        operator = _OPERATOR.match(query, name.end(), end)
        if operator is None:
            raise fault(_LANGUAGE, query, name.end(), f"one of = != =~ !~ must follow `{name[1]}`")
        value = _VALUE.match(query, operator.end(), end)
        if value is None:
            raise fault(_LANGUAGE, query, operator.end(), 'a value in quotes must follow, like "checkout"')
        narrow = narrow or _narrows(operator[0], value[1][1:-1])
        position = value.end()
        if position >= end:
            break
        if query[position] != ",":
            raise fault(_LANGUAGE, query, position, "a comma or the end of the selector must stand here")
        position += 1
    if not narrow:
        what = 'it selects nearly everything; some label must have a value, like app="checkout"'
        raise fault(_LANGUAGE, query, start, what)


def _narrows(operator: str, value: str) -> bool:
    """Whether a matcher leaves out most streams: it needs a value, and not any value will do.

    What excludes a value does not, nor does what is also true of streams without the label.
    """
    if operator != "=~":
        return operator == "=" and value != ""
    try:
        return not matches_everything(value) and re.fullmatch(value, "") is None
    except re.error:
        # It is Loki's to say whether this is a pattern.
        return True


def _read_range(query: str, found: re.Match[str]) -> float:
    try:
        return parse_duration(found[1])
    except ag.InvalidInput:
        raise fault(_LANGUAGE, query, found.start(), "a range must stand here, like [5m]") from None
