"""Whether a text is PromQL or LogQL: told by parsing it, and never both."""

from __future__ import annotations

import re

import agent_gateway as ag

from .logql import parse_logql
from .promql import is_named, metric_name, parse_promql, selectors_of

_STRUCTURE = re.compile(r"[(\[{]|[=!<>]=|[<>]")


def is_promql(text: str) -> bool:
    """Whether this is a PromQL query. Words that could be one are none: a bare name needs an underscore or a colon."""
    try:
        expression = parse_promql(text)
    except ag.InvalidInput:
        return False
    selectors = selectors_of(expression)
    if not all(is_named(each) for each in selectors):
        # Without a metric's name it selects log lines.
        return False
    if _STRUCTURE.search(text):
        return bool(selectors) or "(" in text
    return bool(selectors) and all(re.search("[_:]", metric_name(each)) for each in selectors)


def is_logql(text: str) -> bool:
    """Whether this is a LogQL query, of log lines or a metric made of them."""
    try:
        parsed = parse_logql(text)
    except ag.InvalidInput:
        return False
    return parsed.begins_like_one and not is_promql(text)
