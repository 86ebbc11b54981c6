"""PromQL: parsed before it is sent, wrong places pointed at, and what would cost a server too much refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import promql_parser

import agent_gateway as ag

from .query_text import blank_strings, check_brackets, check_length, fault, matches_everything
from .settings import Limits
from .windows import show_seconds

_LANGUAGE = "PromQL"
#: The parser's tree takes time that grows with the third power of these.
_MOST_PARTS = 80
_PART = re.compile(r"[({\[]|[-+*/%^]|[=!<>]=|[<>]|\b(?:and|or|unless|atan2)\b")
_TOKEN = re.compile(r'"[^"]*"|\'[^\']*\'|[A-Za-z_:][\w:.]*|[\d.]\w*|\S')
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def parse_promql(query: str) -> promql_parser.Expr:
    """The query's tree; `InvalidInput` says what is wrong and where."""
    query = check_length(_LANGUAGE, query)
    blank = blank_strings(_LANGUAGE, query)
    check_brackets(_LANGUAGE, query, blank)
    if len(_PART.findall(blank)) > _MOST_PARTS:
        raise ag.InvalidInput(f"the PromQL has more than {_MOST_PARTS} operators and brackets", code="query_too_large")
    try:
        return promql_parser.parse(query)
    except ValueError as error:
        said = str(error)
        said += "; write a range behind the selector, like [5m]" if "expected type matrix" in said else ""
        raise fault(_LANGUAGE, query, _find_place(query, str(error)), said) from None


def check_promql(query: str, limits: Limits) -> promql_parser.Expr:
    """The query's tree; `InvalidInput` also for what reads too much of a server's data."""
    expression = parse_promql(query)
    nodes = list(walk(expression))
    if sum(isinstance(node, promql_parser.SubqueryExpr) for node in nodes) > 1:
        raise _expensive("it has more than one subquery", "use one, or a range like [5m]")
    for node in nodes:
        if isinstance(node, promql_parser.SubqueryExpr):
            _check_subquery(node, limits)
        elif isinstance(node, promql_parser.MatrixSelector) and node.range > timedelta(seconds=limits.range_seconds):
            found, most = show_seconds(node.range.total_seconds()), show_seconds(limits.range_seconds)
            raise _expensive(f"it reads [{found}]", f"at most [{most}] is allowed")
        elif isinstance(node, promql_parser.VectorSelector) and not _is_narrow(node):
            raise _expensive(f"`{node}` selects every series", "name the metric, or a label's value")
    return expression


def selectors_of(expression: promql_parser.Expr) -> list[promql_parser.VectorSelector]:
    """The selectors of series in a query."""
    return [node for node in walk(expression) if isinstance(node, promql_parser.VectorSelector)]


def metric_name(selector: promql_parser.VectorSelector) -> str:
    """The metric that a selector names; empty when it names none."""
    if selector.name:
        return selector.name
    named = (each.value for each in selector.matchers.matchers if each.name == "__name__")
    return next(named, "")


def is_named(selector: promql_parser.VectorSelector) -> bool:
    """Whether a selector says which metrics it means."""
    return bool(metric_name(selector))


def sorts_itself(expression: promql_parser.Expr) -> bool:
    """Whether the order of the result is the query's own."""
    if isinstance(expression, promql_parser.Call):
        return expression.func.name.startswith("sort")
    return isinstance(expression, promql_parser.AggregateExpr) and expression.param is not None


def walk(expression: Any) -> Iterator[Any]:
    """Every node of the tree."""
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        yield node
        for name in ("expr", "lhs", "rhs", "param", "vector_selector"):
            child = getattr(node, name, None)
            if isinstance(child, promql_parser.Expr):
                waiting.append(child)
        waiting += getattr(node, "args", None) or ()


def _check_subquery(node: promql_parser.SubqueryExpr, limits: Limits) -> None:
    length = (node.range or timedelta()).total_seconds()
    step = node.step.total_seconds() if node.step else 60.0
    if length > limits.subquery_seconds:
        most = show_seconds(limits.subquery_seconds)
        raise _expensive(f"its subquery covers {show_seconds(length)}", f"at most {most} are allowed")
    if length / max(step, 0.001) > limits.points:
        raise _expensive(f"its subquery has more than {limits.points} points", "use a longer step")


def _is_narrow(selector: promql_parser.VectorSelector) -> bool:
    """Whether a selector leaves most series out: by the metric's name, or by some label's value."""
    if selector.name:
        return True
    matchers = selector.matchers
    return all(any(map(_narrows, group)) for group in (matchers.or_matchers or [matchers.matchers]))


def _narrows(matcher: promql_parser.Matcher) -> bool:
    if matcher.op == promql_parser.MatchOp.Equal:
        return matcher.value != ""
    return matcher.op == promql_parser.MatchOp.Re and not matches_everything(matcher.value)


def _expensive(what: str, hint: str) -> ag.InvalidInput:
    return ag.InvalidInput(f"this PromQL is too expensive: {what}", code="query_too_large", hint=hint)


def _find_place(query: str, message: str) -> int:
    """Where the parser stumbled, which it does not say: at what it quotes, or behind the longest part that parses."""
    quoted = re.search(r"'([^']+)'|syntax: (\S+)|regex for (\S+)", message)
    if quoted and (place := query.find(next(filter(None, quoted.groups())))) >= 0:
        return place
    starts = [found.start() for found in _TOKEN.finditer(query)]
    for end in reversed(starts):
        try:
            promql_parser.parse(query[:end] + _closers(query[:end]))
        except ValueError:
            continue
        return end
    return starts[0] if starts else 0


def _closers(part: str) -> str:
    """The brackets that are still open, closed."""
    opened: list[str] = []
    for token in _TOKEN.findall(part):
        if token in _CLOSING:
            opened.append(token)
        elif opened and token == _CLOSING[opened[-1]]:
            opened.pop()
    return "".join(_CLOSING[each] for each in reversed(opened))
