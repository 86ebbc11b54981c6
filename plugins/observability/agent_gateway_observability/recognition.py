"""Recognizes plain requests for this plugin's tools, without a model: an expression, a service's figures, logs, traces.

A message that is PromQL or LogQL as a whole is run as it is. What is asked about a service ("5xx rate of checkout") is
a query of `plugins.observability.queries`, see `named_queries`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

import agent_gateway as ag

from .named_queries import DEFAULT_QUERIES, fill_query, follows_namespace
from .recognized_figures import EVERYBODY, METRIC_GISTS, METRICS, QUANTILES, UP_ASKED
from .recognized_searches import LOG_ERROR_GIST, LOG_ERRORS, LOG_SEARCH, LOGS, TRACE_GISTS, TRACES, read_duration

_FENCE = re.compile(r"\s*```(?:\w+)?\s*\n(?P<body>.*?)\n\s*```\s*", re.DOTALL)
#: What an expression has and a sentence has not: a call, a selector, a comparison; or it is a metric's name.
_EXPRESSION = re.compile(r"\w\s*[({\[]|\A\s*[({]*\{|[\w\])}]\s*(?:[=!]=|[<>]=?)\s*[\d.]")
_METRIC = re.compile(
    r"(?:(?:node|kube|container|process|go|http|grpc|prometheus|up|ALERTS|apiserver|kubelet|etcd"
    r"|coredns)(?:_[a-z0-9_]+)?"
    r"|[a-zA-Z:][a-zA-Z0-9:]*(?:_[a-zA-Z0-9:]+)*_(?:total|seconds|bytes|count|sum|bucket|ratio|info|created|errors))"
)
_LANGUAGE = r"(?:promql|logql|prometheus|prom|loki)"
#: Words around an expression that only say what it is.
_RUN_BEFORE = re.compile(
    rf"^(?:please |can you |could you )*(?:(?:run|query|execute|evaluate|eval|ask|try) )?(?:what does |the |this |me )*"
    rf"(?:{_LANGUAGE}(?: query| expression)?|query|expression)?(?: with| for)?(?:: ?| +(?=[`{{]))?(?<=[ :])(?=\S)",
    re.IGNORECASE,
)
_RUN_BEHIND = re.compile(
    rf"(?: (?:give|return|show|say))?(?: (?:in|on|from|against|with) {_LANGUAGE})?"
    r"(?:,? (?:please|pls|plz|thanks))?\s*\?*$",
    re.IGNORECASE,
)
_WINDOW = "5m"
#: Less sure than any phrase, and sure enough.
_GIST = 0.76


class QueryRecognizer:
    """Recognizes requests; `queries` are the named ones of the settings, the defaults stand for those that lack."""

    def __init__(self, queries: Mapping[str, str] | None = None) -> None:
        self._queries = {**DEFAULT_QUERIES, **(queries or {})}

    def recognize_query_prometheus(self, request: ag.PlainRequest) -> ag.Recognition | None:
        """The call of `query_prometheus`."""
        if expression := read_expression(request.text, "promql"):
            return ag.Recognition(
                arguments=_on_cluster({"query": expression}, request),
                confidence=1.0,
                meaning="run the PromQL",
                command=True,
            )
        words = _words(request)
        for name, phrases in METRICS.items():
            if (parts := phrases.match(words)) is not None:
                return self._measure(name, parts, request)
        if request.text.rstrip().endswith("?") and (parts := UP_ASKED.match(words)) is not None:
            return self._measure("up", parts, request)
        for name, phrases in EVERYBODY.items():
            if phrases.match(words) is not None:
                query = fill_query(self._queries[name], window=_window(request), namespace=request.namespace)
                return self._prometheus(name, query, "", request)
        return self._figure(words, request)

    def _figure(self, words: str, request: ag.PlainRequest) -> ag.Recognition | None:
        """The one figure that the words name in whatever order; not one of several."""
        found = {
            name: parts
            for name, gists in METRIC_GISTS.items()
            for gist in gists
            if (parts := gist.read(words, asked=_is_question(request), terse=bool(request.seconds))) is not None
        }
        if len(found) != 1:
            return None
        name, parts = found.popitem()
        measured = self._measure(name, parts, request)
        return replace(measured, confidence=min(_GIST, measured.confidence))

    def recognize_query_loki(self, request: ag.PlainRequest) -> ag.Recognition | None:
        """The call of `query_loki`."""
        if expression := read_expression(request.text, "logql"):
            return ag.Recognition(
                arguments=_on_cluster({"query": expression}, request),
                confidence=1.0,
                meaning="run the LogQL",
                command=True,
            )
        words = _words(request)
        if (parts := LOG_ERRORS.match(words)) is not None:
            return self._logs("log_errors", parts, request, 0.95)
        if (parts := LOG_SEARCH.match(words)) is not None:
            return self._logs("log_search", parts, request, 0.95)
        if (parts := LOGS.match(words)) is not None:
            # Without "loki" it is for a tool that reads them from the pods, when there is one.
            return self._logs("log_lines", parts, request, 0.95 if "loki" in words else _GIST)
        if (parts := LOG_ERROR_GIST.read(words, asked=_is_question(request))) is not None:
            return self._logs("log_errors", parts, request, _GIST)
        return None

    def recognize_get_traces(self, request: ag.PlainRequest) -> ag.Recognition | None:
        """The call of `get_traces`."""
        words = _words(request)
        parts = TRACES.match(words)
        sure = parts is not None
        if parts is None:
            asked = _is_question(request)
            parts = next((found for gist in TRACE_GISTS if (found := gist.read(words, asked=asked)) is not None), None)
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
        return ag.Recognition(
            arguments=_on_cluster(arguments, request), confidence=0.95 if sure else _GIST, meaning=told
        )

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
        # What is searched for is taken as it was written; the words are in lower case.
        start = request.text.lower().find(parts.get("text", ""))
        text = request.text[start : start + len(parts.get("text", ""))] if start >= 0 else parts.get("text", "")
        query = fill_query(template, service=parts["name"], text=text, namespace=request.namespace)
        arguments: dict[str, Any] = {"query": query}
        if request.seconds:
            arguments["since"] = span(request.seconds)
        if request.namespace and not follows_namespace(template):
            confidence = 0.5
        told = f"{_told(name)} of {parts['name']} (`{query}`)"
        return ag.Recognition(arguments=_on_cluster(arguments, request), confidence=confidence, meaning=told)


def read_expression(text: str, language: str) -> str:
    """The expression that a message is, as a whole; empty when it is none. `language`: `promql` or `logql`."""
    body = _unwrap(text.strip())
    named = bool(_METRIC.fullmatch(body)) and "_" in body
    # A selector without a metric is one of logs.
    if not (_EXPRESSION.search(body) or named) or (language == "promql" and re.match(r"\{(?!.*__name__)", body)):
        return ""
    # The parser is only loaded for what may be an expression.
    from .languages import is_logql, is_promql  # noqa: PLC0415 - it takes a while

    return body if (is_promql if language == "promql" else is_logql)(body) else ""


def _unwrap(text: str) -> str:
    """The text without what says that it is to be run: words before and behind it, ticks, a fence."""
    while True:
        before = text
        if found := _FENCE.fullmatch(text):
            text = found["body"].strip()
        elif len(text) > 2 and text[0] == text[-1] == "`":
            text = text[1:-1].strip()
        text = _RUN_BEHIND.sub("", _RUN_BEFORE.sub("", text)).strip()
        if text == before:
            return text


def span(seconds: int) -> str:
    """Seconds as `2h`, `30m` or `45s`."""
    for unit, length in (("h", 3600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def _window(request: ag.PlainRequest) -> str:
    return span(request.seconds) if request.seconds else _WINDOW


def _is_question(request: ag.PlainRequest) -> bool:
    return request.text.rstrip().endswith("?")


def _told(name: str) -> str:
    return f"the {name.replace('_', ' ')}"


def _words(request: ag.PlainRequest) -> str:
    """The words without articles."""
    return " ".join(re.sub(r"(?<!\S)(?:the|our|my|all|any)(?!\S)", " ", request.rest).split())


def _on_cluster(arguments: dict[str, Any], request: ag.PlainRequest) -> dict[str, Any]:
    return arguments | ({"cluster": request.cluster} if request.cluster else {})
