"""What Prometheus is asked, and what becomes of answers that are not as usual. The real one is asked elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from plugins.observability.agent_gateway_observability.settings import ObservabilitySettings
from plugins.observability.agent_gateway_observability.tools import QueryTools
from tests.loopback import serving

import agent_gateway as ag

START = "2026-03-01T12:00:00Z"
END = "2026-03-01T13:00:00Z"


class Recording(BaseHTTPRequestHandler):
    """Answers what it was told to, and remembers what it was asked."""

    answer: dict[str, Any]
    asked: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.asked.append((parts.path, dict(parse_qsl(parts.query))))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(self.answer).encode())

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@pytest.fixture
def handler() -> type[Recording]:
    return type("Handler", (Recording,), {"answer": {}, "asked": []})


@pytest.fixture
def tools(handler: type[Recording]) -> Iterator[QueryTools]:
    with serving(handler) as address:
        settings = {"prometheus": address, "limits": {"series": 3, "points": 100}}
        yield QueryTools(ObservabilitySettings.model_validate(settings))


def data(kind: str, result: Any, **more: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": kind, "result": result}, **more}


async def test_a_moment_is_asked_for_by_its_time(handler: type[Recording], tools: QueryTools) -> None:
    handler.answer = data("scalar", [0, "2"])
    text = await tools.query_prometheus(" 1 + 1 ", end=END)
    assert text == "Prometheus of 'default' at 2026-03-01T13:00:00Z.\n2"
    assert handler.asked == [
        ("/api/v1/query", {"query": "1 + 1", "limit": "4", "timeout": "20s", "time": "1772370000.0"})
    ]


async def test_a_range_is_asked_for_with_a_step_of_few_enough_points(
    handler: type[Recording], tools: QueryTools
) -> None:
    handler.answer = data("matrix", [])
    text = await tools.query_prometheus("up", start=START, end=END, step="10s")
    assert text.splitlines()[0].endswith("a point each 1m (not 10s, which would be too many).")
    ((path, query),) = handler.asked
    assert (path, query["start"], query["end"], query["step"]) == (
        "/api/v1/query_range",
        "1772366400.0",
        "1772370000.0",
        "60.0",
    )


async def test_more_series_than_were_asked_for_and_warnings_are_said(
    handler: type[Recording], tools: QueryTools
) -> None:
    series = [{"metric": {"job": str(number)}, "value": [0, "1"]} for number in range(4)]
    handler.answer = data("vector", series, warnings=["results truncated\ndue to limit"])
    lines = (await tools.query_prometheus("up")).splitlines()
    assert lines[1] == "Warning: results truncated due to limit"
    assert lines[2] == "3 series:"
    assert lines[-1] == "There are more than 3; only so many were asked for."


@pytest.mark.parametrize(
    "answer",
    [
        {},
        data("vector", None) | {"data": None},
        data("vector", [{"metric": {}, "value": [0]}]),
        data("matrix", [{"metric": "up", "values": []}]),
        data("scalar", ["0", "many"]),
    ],
)
async def test_an_answer_of_another_shape_is_an_error_of_the_server(
    answer: dict[str, Any], handler: type[Recording], tools: QueryTools
) -> None:
    handler.answer = answer
    with pytest.raises(ag.Unavailable, match="another shape than its API documents"):
        await tools.query_prometheus("up")


async def test_a_wrong_query_never_reaches_the_server(handler: type[Recording], tools: QueryTools) -> None:
    for wrong in ({"query": "up("}, {"query": '{job=~".*"}'}, {"query": "up", "start": END, "end": START}):
        with pytest.raises(ag.InvalidInput):
            await tools.query_prometheus(**wrong)
    assert handler.asked == []
