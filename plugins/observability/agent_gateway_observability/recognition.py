"""Recognizes plain requests for this plugin's tools, without a model: an expression, a service's figures, logs, traces.

A message that is PromQL or LogQL as a whole is run as it is. What is asked about a service ("5xx rate of checkout") is
a query of `plugins.observability.queries`, see `named_queries`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import agent_gateway as ag

from .named_queries import DEFAULT_QUERIES, fill_query, follows_namespace
from .recognized_questions import (
    EVERYBODY,
    LOG_ERRORS,
    LOG_SEARCH,
    LOGS,
    METRICS,
    QUANTILES,
    TRACES,
    read_duration,
)

_FENCE = re.compile(r"\s*```(?:\w+)?\s*\n(?P<body>.*?)\n\s*```\s*", re.DOTALL)
#: What an expression has and a sentence has not: a call, a selector, a comparison.
_EXPRESSION = re.compile(r"[({\[=<>]|\w:\w")
_IDENTIFIER = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*_[a-zA-Z0-9_:]+")
_WINDOW = "5m"


class QueryRecognizer:
    """Recognizes requests; `queries` are the named ones of the settings, the defaults stand for those that lack."""

    def __init__(self, queries: Mapping[str, str] | None = None) -> None:
        self._queries = {**DEFAULT_QUERIES, **(queries or {})}

    def recognize_query_prometheus(self, request: ag.PlainRequest) -> ag.Recognition | None:
        """The call of `query_prometheus`."""
        if expression := read_expression(request.text, "promql"):
            return ag.Recognition(
                arguments=_on_cluster({"query": expression}, request), confidence=1.0, meaning="run the PromQL", command=True
            )
        words = _words(request)
        for name, phrases in METRICS.items():
            if (parts := phrases.match(words)) is not None:
                return self._measure(name, parts, request)
        for name, phrases in EVERYBODY.items():
            if phrases.match(words) is not None:
                query = fill_query(self._queries[name], window=_window(request), namespace=request.namespace)
                return self._prometheus(name, query, "", request)
        return None

    def recognize_query_loki(self, request: ag.PlainRequest) -> ag.Recognition | None:
        """The call of `query_loki`."""
        if expression := read_expression(request.text, "logql"):
            return ag.Recognition(
                arguments=_on_cluster({"query": expression}, request), confidence=1.0, meaning="run the LogQL", command=True
            )
        words = _words(request)
        if (parts := LOG_ERRORS.match(words)) is not None:
            return self._logs("log_errors", parts, request, 0.95)
        if (parts := LOG_SEARCH.match(_words(request, request.rest))) is not None:
            return self._logs("log_search", parts, request, 0.95)
        if (parts := LOGS.match(words)) is not None:
            # Without "loki" it is for a tool that reads them from the pods, when there is one.
            return self._logs("log_lines", parts, request, 0.95 if "loki" in words else 0.76)
        return None

    def recognize_get_traces(self, request: ag.PlainRequest) -> ag.Recognition | None:
        """The call of `get_traces`."""
        parts = TRACES.match(_words(request))
        if parts is None or request.namespace:
            return None
        arguments: dict[str, Any] = {}
        if "trace" in parts:
            arguments["trace_id"] = parts["trace"]
        if "name" in parts:
            arguments["service"] = parts["name"]
        if "duration" in parts:
            arguments["min_duration"] = read_duration(parts["duration"])
        if "errors" in parts:
            arguments["only_errors"] = True
        if "limit" in parts:
            arguments["limit"] = int(parts["limit"])
        if request.seconds:
            arguments["since"] = span(request.seconds)
        told = f"show traces of {parts['name']}" if "name" in parts else "show traces"
        return ag.Recognition(arguments=_on_cluster(arguments, request), confidence=0.95, meaning=told)

    def _measure(self, name: str, parts: Mapping[str, str], request: ag.PlainRequest) -> ag.Recognition:
        if "name" not in parts:
            missing = "the service, like `error rate of checkout`"
            return ag.Recognition(confidence=0.8, meaning=f"query {_told(name)}", missing=missing)
        quantile = QUANTILES.get(parts.get("quantile", "95"), "0.95")
        query = fill_query(
            self._queries[name],
            service=parts["name"],
            window=_window(request),
            quantile=quantile,
            namespace=request.namespace,
        )
        return self._prometheus(name, query, parts["name"], request)

    def _prometheus(self, name: str, query: str, service: str, request: ag.PlainRequest) -> ag.Recognition:
        told = f"query {_told(name)}" + (f" of {service}" if service else "") + f" (`{query}`)"
        confidence = 0.95
        if request.namespace and not follows_namespace(self._queries[name]):
            told, confidence = f"{told}, which is of all namespaces", 0.5
        return ag.Recognition(arguments=_on_cluster({"query": query}, request), confidence=confidence, meaning=told)

    def _logs(
        self, name: str, parts: Mapping[str, str], request: ag.PlainRequest, confidence: float
    ) -> ag.Recognition | None:
        if "name" not in parts:
            missing = "the service, like `errors in the logs of checkout`"
            return ag.Recognition(confidence=0.8, meaning="search logs", missing=missing)
        template = self._queries[name]
        query = fill_query(template, service=parts["name"], text=parts.get("text", ""), namespace=request.namespace)
        arguments: dict[str, Any] = {"query": query}
        if request.seconds:
            arguments["since"] = span(request.seconds)
        if request.namespace and not follows_namespace(template):
            confidence = 0.5
        told = f"{_told(name)} of {parts['name']} (`{query}`)"
        return ag.Recognition(arguments=_on_cluster(arguments, request), confidence=confidence, meaning=told)


def read_expression(text: str, language: str) -> str:
    """The expression that a message is, as a whole; empty when it is none. `language`: `promql` or `logql`."""
    body = text.strip()
    if found := _FENCE.fullmatch(body):
        body = found["body"].strip()
    elif len(body) > 2 and body[0] == body[-1] == "`":
        body = body[1:-1].strip()
    body = re.sub(rf"^(?:run |query |execute )?{language}:? ", "", body, flags=re.IGNORECASE)
    if not (_EXPRESSION.search(body) or _IDENTIFIER.fullmatch(body)):
        # One word may be a metric, and is a word.
        return ""
    # The parser is only loaded for what may be an expression.
    from .languages import is_logql, is_promql  # noqa: PLC0415 - it takes a while

    return body if (is_promql if language == "promql" else is_logql)(body) else ""


def span(seconds: int) -> str:
    """Seconds as `2h`, `30m` or `45s`."""
    for unit, length in (("h", 3600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def _window(request: ag.PlainRequest) -> str:
    return span(request.seconds) if request.seconds else _WINDOW


def _told(name: str) -> str:
    return f"the {name.replace('_', ' ')}"


def _words(request: ag.PlainRequest, text: str = "") -> str:
    """The words without articles."""
    words = re.sub(r"(?<=\w)'s?(?=\s|\Z)", "", text or request.rest)
    return " ".join(re.sub(r"(?<!\S)(?:the|our|my|all|any)(?!\S)", " ", words).split())


def _on_cluster(arguments: dict[str, Any], request: ag.PlainRequest) -> dict[str, Any]:
    return arguments | ({"cluster": request.cluster} if request.cluster else {})
