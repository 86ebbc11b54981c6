"""Reads traces from Tempo: a search by TraceQL, and traces in OpenTelemetry's JSON."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import agent_gateway as ag

from .connection import get_json
from .servers import Place
from .settings import Limits
from .shapes import as_dicts, as_documented
from .trace_model import Span, Trace
from .trace_search import DETAILED, TraceSearch

_NANO = 1e9
#: Lengths of a trace's and a span's id in base64, as protocol buffers write bytes in JSON.
_BASE64_LENGTHS = frozenset({12, 24})


async def search_tempo(place: Place, search: TraceSearch, limits: Limits) -> tuple[list[Trace], list[Trace]]:
    """The traces that were found, the slowest first, and the slowest of them in full."""
    asked: dict[str, str | int | float] = {
        "q": trace_query(search),
        "start": int(search.window.start),
        "end": int(search.window.end) + 1,
        "limit": search.limit,
    }
    answer = await get_json(place, "/api/search", asked, limits)
    found = as_documented(place, lambda: [_read_summary(each) for each in as_dicts(answer.get("traces"))])
    found.sort(key=lambda trace: -trace.duration)
    looked_at = await asyncio.gather(*(_read_if_there(place, trace, limits) for trace in found[:DETAILED]))
    detailed = [trace for trace in looked_at if trace is not None]
    known = {trace.id: trace for trace in detailed}
    return [known.get(trace.id, trace) for trace in found], detailed


async def read_tempo(place: Place, trace_id: str, limits: Limits) -> Trace:
    """One trace; `NotFound` when there is none."""
    answer = await get_json(place, f"/api/traces/{trace_id}", {}, limits)
    spans = as_documented(place, lambda: read_spans(answer))
    if not spans:
        raise ag.NotFound(f"{place.told} has no trace {trace_id}")
    return Trace(trace_id, spans, limits.spans)


async def look(place: Place, limits: Limits) -> str:
    """Ask for the names of tags, and say how many there are."""
    answer = await get_json(place, "/api/search/tags", {}, limits)
    return f"knows {as_documented(place, lambda: len(answer.get('tagNames') or []))} tags"


def trace_query(search: TraceSearch) -> str:
    """The TraceQL of a search."""
    parts = [f"resource.service.name = {json.dumps(search.service, ensure_ascii=False)}"] if search.service else []
    parts += [f"duration >= {search.min_seconds * 1e6:.0f}us"] if search.min_seconds else []
    parts += ["status = error"] if search.only_errors else []
    return f"{{ {' && '.join(parts)} }}" if parts else "{}"


def read_spans(answer: Mapping[str, Any]) -> list[Span]:
    """The spans of a trace; `KeyError` and the like when the answer is none."""
    inside = answer.get("trace") or answer
    resources = as_dicts(inside.get("batches") or inside.get("resourceSpans"))
    return [
        _read_span(span, _service(resource))
        for resource in resources
        for scope in as_dicts(resource.get("scopeSpans") or resource.get("instrumentationLibrarySpans"))
        for span in as_dicts(scope.get("spans"))
    ]


async def _read_if_there(place: Place, trace: Trace, limits: Limits) -> Trace | None:
    try:
        return await read_tempo(place, trace.id, limits)
    except ag.NotFound:
        # What a search finds is not always there yet, or any more.
        return None


def _read_summary(each: Mapping[str, Any]) -> Trace:
    """A trace as the search tells it: its root alone."""
    trace_id = str(each["traceID"])
    root = Span(
        id="root",
        parent="",
        service=str(each.get("rootServiceName") or "(unknown)"),
        name=str(each.get("rootTraceName") or "(unknown)"),
        start=int(each["startTimeUnixNano"]) / _NANO,
        # Tempo leaves it out when it is less than 1.
        duration=float(each.get("durationMs", 0)) / 1000,
    )
    return Trace(trace_id, [root], 1, whole=False)


def _read_span(span: Mapping[str, Any], service: str) -> Span:
    begin = int(span["startTimeUnixNano"])
    status = span.get("status") or {}
    attributes = _attributes(span)
    code = attributes.get("http.response.status_code") or attributes.get("http.status_code") or ""
    exceptions = [_attributes(event) for event in as_dicts(span.get("events")) if event.get("name") == "exception"]
    thrown = exceptions[0].get("exception.message", "") if exceptions else ""
    return Span(
        id=_as_hex(span["spanId"]),
        parent=_as_hex(span.get("parentSpanId") or ""),
        service=service,
        name=str(span.get("name") or "(unnamed)"),
        start=begin / _NANO,
        duration=max(int(span["endTimeUnixNano"]) - begin, 0) / _NANO,
        failed=status.get("code") in {2, "STATUS_CODE_ERROR"},
        message=str(status.get("message") or thrown or (f"status {code}" if code else "")),
    )


def _service(resource: Mapping[str, Any]) -> str:
    return _attributes(resource.get("resource") or {}).get("service.name") or "(unknown)"


def _attributes(thing: Mapping[str, Any]) -> dict[str, str]:
    """Attributes by name, as text; those that are lists or maps are left out."""
    found: dict[str, str] = {}
    for each in as_dicts(thing.get("attributes")):
        values: Sequence[Any] = list((each.get("value") or {}).values())
        if values and not isinstance(values[0], dict | list):
            found[str(each["key"])] = str(values[0])
    return found


def _as_hex(written: str) -> str:
    """An id as hexadecimal digits, whether it came as such or in base64."""
    return base64.b64decode(written).hex() if len(written) in _BASE64_LENGTHS else written.lower()
