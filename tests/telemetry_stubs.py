"""Loki, Tempo and Jaeger as far as their HTTP APIs are documented: each request is checked, the data is the test's.

Nothing is evaluated but times, limits and names of services: which lines a query matches is for a real server to say.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from tests.loopback import serving

Answer = tuple[int, Any]
_NANOSECONDS = r"[12]\d{18}"
_MICROSECONDS = r"[12]\d{15}"
_SECONDS = r"[12]\d{9}"
_COUNT = r"[1-9]\d*"
_GO_DURATION = r"(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+"
_STEP = r"\d+(\.\d+)?|\d+[smhdwy]"
_TRACE_ID = r"[0-9a-f]{1,32}"


class Endpoint(NamedTuple):
    """A path, the values its parameters may have, those that must be there, and who answers.

    `answer` is given the last part of the path, and the parameters.
    """

    path: str
    parameters: Mapping[str, str]
    required: frozenset[str]
    answer: Callable[[str, Mapping[str, str]], Answer]


class Stub(ABC):
    """One API. `asked` are the requests so far; `breaches` what was wrong with those that it does not document."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.breaches: list[str] = []

    @abstractmethod
    def endpoints(self) -> list[Endpoint]:
        """What it answers."""

    def answer(self, path: str, given: list[tuple[str, str]]) -> Answer:
        """Status and JSON, or text, for a GET."""
        query = dict(given)
        self.asked.append((path, query))
        endpoint = next((each for each in self.endpoints() if re.fullmatch(each.path, path)), None)
        if endpoint is None:
            self.breaches.append(f"there is no {path}")
            return 404, "404 page not found"
        breach = _breach(endpoint, given)
        if breach:
            self.breaches.append(f"{path}: {breach}")
            return 400, breach
        return endpoint.answer(path.rpartition("/")[2], query)


class LokiStub(Stub):
    """`streams`: labels and lines of (nanoseconds since 1970, text). `matrix` and `vector` answer metric queries."""

    def __init__(self) -> None:
        super().__init__()
        self.streams: list[tuple[dict[str, str], list[tuple[int, str]]]] = []
        self.matrix: list[dict[str, Any]] = []
        self.vector: list[dict[str, Any]] = []

    def endpoints(self) -> list[Endpoint]:
        """Queries over a range and of a moment, and the names of labels."""
        limited = {"query": r".+", "limit": _COUNT, "direction": "forward|backward"}
        ranged = limited | {
            "start": _NANOSECONDS,
            "end": _NANOSECONDS,
            "since": _STEP,
            "step": _STEP,
            "interval": _STEP,
        }
        query = frozenset({"query"})
        return [
            Endpoint("/loki/api/v1/query_range", ranged, query, self._query_range),
            Endpoint("/loki/api/v1/query", limited | {"time": _NANOSECONDS}, query, self._query),
            Endpoint(
                "/loki/api/v1/labels", {"start": _NANOSECONDS, "end": _NANOSECONDS}, frozenset(), self._list_labels
            ),
        ]

    def _query_range(self, _: str, query: Mapping[str, str]) -> Answer:
        if not _selects_lines(query["query"]):
            return _success({"resultType": "matrix", "result": self.matrix, "stats": {}})
        start, end = int(query.get("start", "0")), int(query.get("end", "9" * 19))
        found = [
            (moment, text, number)
            for number, (_labels, lines) in enumerate(self.streams)
            for moment, text in lines
            if start <= moment < end
        ]
        found.sort(reverse=query.get("direction", "backward") == "backward")
        kept = found[: int(query.get("limit", "100"))]
        streams = [
            {"stream": labels, "values": [[str(moment), text] for moment, text, of in kept if of == number]}
            for number, (labels, _lines) in enumerate(self.streams)
        ]
        result = [stream for stream in streams if stream["values"]]
        return _success({"resultType": "streams", "result": result, "stats": {}})

    def _query(self, _: str, query: Mapping[str, str]) -> Answer:
        if _selects_lines(query["query"]):
            return 400, "log queries are not supported as an instant query type, please change your query to a range"
        return _success({"resultType": "vector", "result": self.vector, "stats": {}})

    def _list_labels(self, _: str, query: Mapping[str, str]) -> Answer:
        return _success(sorted({name for labels, _lines in self.streams for name in labels}))


class TempoStub(Stub):
    """`traces`: by id, what `/api/traces/{id}` answers. `hits`: what a search finds."""

    def __init__(self) -> None:
        super().__init__()
        self.traces: dict[str, dict[str, Any]] = {}
        self.hits: list[dict[str, Any]] = []

    def endpoints(self) -> list[Endpoint]:
        """Search by TraceQL, one trace, and the names of tags."""
        times = {"start": _SECONDS, "end": _SECONDS}
        search = times | {"q": r"\{.*\}", "limit": _COUNT, "spss": _COUNT}
        return [
            Endpoint("/api/search", search, frozenset({"q"}), self._search),
            Endpoint(f"/api/traces/{_TRACE_ID}", times, frozenset(), self._read),
            Endpoint("/api/search/tags", times, frozenset(), self._list_tags),
        ]

    def _search(self, _: str, query: Mapping[str, str]) -> Answer:
        if ("start" in query) is not ("end" in query):
            return 400, "start and end must be given together"
        return 200, {"traces": self.hits[: int(query.get("limit", "20"))], "metrics": {"totalBlocks": 1}}

    def _read(self, trace: str, query: Mapping[str, str]) -> Answer:
        return (200, self.traces[trace]) if trace in self.traces else (404, "trace not found")

    def _list_tags(self, _: str, query: Mapping[str, str]) -> Answer:
        return 200, {"tagNames": ["service.name", "http.method"], "metrics": {}}


class JaegerStub(Stub):
    """`traces`: as Jaeger answers them; a search finds those of its service, the first ones."""

    def __init__(self) -> None:
        super().__init__()
        self.traces: list[dict[str, Any]] = []

    def endpoints(self) -> list[Endpoint]:
        """Search, one trace, and the services."""
        search = {
            "service": r".+",
            "operation": r".*",
            "start": _MICROSECONDS,
            "end": _MICROSECONDS,
            "limit": _COUNT,
            "minDuration": _GO_DURATION,
            "maxDuration": _GO_DURATION,
            # JSON of texts by name.
            "tags": r'\{("[^"]+":"[^"]*",?)*\}',
        }
        return [
            Endpoint("/api/traces", search, frozenset({"service"}), self._search),
            Endpoint(f"/api/traces/{_TRACE_ID}", {}, frozenset(), self._read),
            Endpoint("/api/services", {}, frozenset(), self._list_services),
        ]

    def _search(self, _: str, query: Mapping[str, str]) -> Answer:
        found = [trace for trace in self.traces if query["service"] in _services(trace)]
        return 200, _jaeger_data(found[: int(query.get("limit", "100"))])

    def _read(self, trace: str, query: Mapping[str, str]) -> Answer:
        found = [each for each in self.traces if each["traceID"] == trace]
        if not found:
            return 404, {"data": None, "total": 0, "errors": [{"code": 404, "msg": "trace not found"}]}
        return 200, _jaeger_data(found)

    def _list_services(self, _: str, query: Mapping[str, str]) -> Answer:
        return 200, _jaeger_data(sorted({name for trace in self.traces for name in _services(trace)}))


@contextmanager
def running_stub(stub: Stub) -> Iterator[str]:
    """The address of a stub; at the end there must have been no request that its API does not document."""

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            status, said = stub.answer(parts.path, parse_qsl(parts.query, keep_blank_values=True))
            body = (said if isinstance(said, str) else json.dumps(said)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            pass

    with serving(Asked) as address:
        yield address
    assert stub.breaches == []


def _breach(endpoint: Endpoint, given: list[tuple[str, str]]) -> str:
    """What a request does that is not documented; empty when it does nothing such."""
    names = [name for name, _ in given]
    if len(set(names)) < len(names):
        return "a parameter is given twice"
    if missing := endpoint.required - set(names):
        return f"parameter '{min(missing)}' is required"
    for name, value in given:
        if name not in endpoint.parameters:
            return f"there is no parameter '{name}'"
        if not re.fullmatch(endpoint.parameters[name], value, re.DOTALL):
            return f"unable to parse param '{name}': {value}"
    return ""


def _selects_lines(query: str) -> bool:
    return query.lstrip(" (").startswith("{")


def _success(data: Any) -> Answer:
    return 200, {"status": "success", "data": data}


def _services(trace: Mapping[str, Any]) -> set[str]:
    return {process["serviceName"] for process in trace["processes"].values()}


def _jaeger_data(data: list[Any]) -> dict[str, Any]:
    return {"data": data, "total": len(data), "limit": 0, "offset": 0, "errors": None}
