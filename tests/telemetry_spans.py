"""Spans of a test, as Tempo and as Jaeger answer them: OpenTelemetry's JSON, and Jaeger's own."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

_NANO = 1_000_000_000


class StubSpan(NamedTuple):
    """A span; `start` is in seconds since 1970, `seconds` its duration. `error` is what it says about its failure."""

    trace: str
    id: str
    parent: str
    service: str
    name: str
    start: float
    seconds: float
    error: str = ""


def as_otlp(spans: Sequence[StubSpan]) -> dict[str, Any]:
    """What Tempo's `/api/traces/{id}` answers: spans by resource, ids in base64, times as text."""
    ordered = sorted(spans, key=lambda span: span.service)
    return {
        "batches": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
                "scopeSpans": [{"scope": {"name": "test"}, "spans": [_otlp_span(each) for each in group]}],
            }
            for service, group in itertools.groupby(ordered, key=lambda span: span.service)
        ]
    }


def as_search_hit(spans: Sequence[StubSpan]) -> dict[str, Any]:
    """What Tempo's `/api/search` tells of a trace."""
    root = next(span for span in spans if not span.parent)
    milliseconds = int(root.seconds * 1000)
    return {
        "traceID": root.trace,
        "rootServiceName": root.service,
        "rootTraceName": root.name,
        "startTimeUnixNano": str(int(root.start * _NANO)),
        **({"durationMs": milliseconds} if milliseconds else {}),
        "spanSets": [{"spans": [{"spanID": root.id, "startTimeUnixNano": str(int(root.start * _NANO))}], "matched": 1}],
    }


def as_jaeger(spans: Sequence[StubSpan]) -> dict[str, Any]:
    """One trace of Jaeger's `data`: spans with tags and logs, services apart as processes."""
    names = sorted({span.service for span in spans})
    processes = {name: f"p{number}" for number, name in enumerate(names, 1)}
    return {
        "traceID": spans[0].trace,
        "spans": [_jaeger_span(each, processes[each.service]) for each in spans],
        "processes": {key: {"serviceName": name, "tags": []} for name, key in processes.items()},
        "warnings": None,
    }


def _otlp_span(span: StubSpan) -> dict[str, Any]:
    start = int(span.start * _NANO)
    status = {"status": {"code": "STATUS_CODE_ERROR", "message": span.error}} if span.error else {"status": {}}
    return {
        "traceId": _as_base64(span.trace),
        "spanId": _as_base64(span.id),
        **({"parentSpanId": _as_base64(span.parent)} if span.parent else {}),
        "name": span.name,
        "kind": "SPAN_KIND_SERVER",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + int(span.seconds * _NANO)),
        "attributes": [{"key": "http.response.status_code", "value": {"intValue": "500" if span.error else "200"}}],
        **status,
    }


def _jaeger_span(span: StubSpan, process: str) -> dict[str, Any]:
    reference = {"refType": "CHILD_OF", "traceID": span.trace, "spanID": span.parent}
    failure = [
        {"key": "error", "type": "bool", "value": True},
        {"key": "otel.status_code", "type": "string", "value": "ERROR"},
        {"key": "otel.status_description", "type": "string", "value": span.error},
    ]
    return {
        "traceID": span.trace,
        "spanID": span.id,
        "flags": 1,
        "operationName": span.name,
        "references": [reference] if span.parent else [],
        "startTime": int(span.start * 1_000_000),
        "duration": int(span.seconds * 1_000_000),
        "tags": [{"key": "span.kind", "type": "string", "value": "server"}, *(failure if span.error else [])],
        "logs": [],
        "processID": process,
        "warnings": None,
    }


def _as_base64(hexadecimal: str) -> str:
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()
