"""Reads traces from Jaeger."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import agent_gateway as ag

from .connection import get_json
from .servers import Place
from .settings import Limits
from .shapes import as_dicts, as_documented
from .trace_model import Span, Trace
from .trace_search import DETAILED, TraceSearch

_MICRO = 1_000_000
#: Jaeger searches by service. As many are asked about when no service is named.
_MOST_SERVICES = 8
#: Jaeger's own traces are not meant.
_OWN = frozenset({"jaeger", "jaeger-query", "jaeger-all-in-one"})


async def search_jaeger(place: Place, search: TraceSearch, limits: Limits) -> tuple[list[Trace], list[Trace]]:
    """The traces that were found, the slowest first, and those of them to look at closely."""
    services = [search.service] if search.service else await _services(place, limits)
    answers = await asyncio.gather(*(_search_one(place, name, search, limits) for name in services))
    found = {trace.id: trace for traces in answers for trace in traces}
    slowest = sorted(found.values(), key=lambda trace: -trace.duration)[: search.limit]
    return slowest, slowest[:DETAILED]


async def read_jaeger(place: Place, trace_id: str, limits: Limits) -> Trace:
    """One trace; `NotFound` when there is none."""
    answer = await get_json(place, f"/api/traces/{trace_id}", {}, limits)
    traces = as_documented(place, lambda: _read_traces(answer, limits))
    if not traces:
        raise ag.NotFound(f"{place.told} has no trace {trace_id}")
    return traces[0]


async def look(place: Place, limits: Limits) -> str:
    """Ask for the services, and say how many there are."""
    return f"knows {len(await _list_services(place, limits))} services"


async def _search_one(place: Place, service: str, search: TraceSearch, limits: Limits) -> list[Trace]:
    asked: dict[str, str | int | float] = {
        "service": service,
        "start": int(search.window.start * _MICRO),
        "end": int(search.window.end * _MICRO),
        "limit": search.limit,
    }
    asked |= {"minDuration": f"{search.min_seconds * 1e6:.0f}us"} if search.min_seconds else {}
    asked |= {"tags": '{"error":"true"}'} if search.only_errors else {}
    answer = await get_json(place, "/api/traces", asked, limits)
    return as_documented(place, lambda: _read_traces(answer, limits))


async def _services(place: Place, limits: Limits) -> list[str]:
    names = [name for name in await _list_services(place, limits) if name not in _OWN]
    if len(names) > _MOST_SERVICES:
        shown = ", ".join(name[:60] for name in names[:30])
        raise ag.InvalidInput(f"say which service: {shown}" + ("..." if len(names) > 30 else ""), code="service_needed")
    return names


async def _list_services(place: Place, limits: Limits) -> list[str]:
    answer = await get_json(place, "/api/services", {}, limits)
    return as_documented(place, lambda: sorted(str(each) for each in answer["data"] or []))


def _read_traces(answer: Mapping[str, Any], limits: Limits) -> list[Trace]:
    return [_read_trace(each, limits) for each in as_dicts(answer["data"])]


def _read_trace(each: Mapping[str, Any], limits: Limits) -> Trace:
    services = {name: str(process["serviceName"]) for name, process in each["processes"].items()}
    return Trace(str(each["traceID"]), [_read_span(span, services) for span in as_dicts(each["spans"])], limits.spans)


def _read_span(span: Mapping[str, Any], services: Mapping[str, str]) -> Span:
    tags = {str(tag["key"]): tag.get("value") for tag in as_dicts(span.get("tags"))}
    parents = [
        str(each["spanID"])
        for each in as_dicts(span.get("references"))
        if each["refType"] in {"CHILD_OF", "FOLLOWS_FROM"} and each["traceID"] == span["traceID"]
    ]
    code = tags.get("http.response.status_code") or tags.get("http.status_code") or ""
    return Span(
        id=str(span["spanID"]),
        parent=parents[0] if parents else "",
        service=services.get(span["processID"], "(unknown)"),
        name=str(span["operationName"]),
        start=int(span["startTime"]) / _MICRO,
        duration=int(span["duration"]) / _MICRO,
        failed=str(tags.get("error", "")).lower() == "true" or tags.get("otel.status_code") == "ERROR",
        message=str(tags.get("otel.status_description") or _logged(span) or (f"status {code}" if code else "")),
    )


def _logged(span: Mapping[str, Any]) -> str:
    """The message of an exception among a span's logs."""
    for entry in as_dicts(span.get("logs")):
        fields = {str(field["key"]): field.get("value") for field in as_dicts(entry.get("fields"))}
        if found := fields.get("exception.message") or fields.get("error.object"):
            return str(found)
    return ""
