"""The same traces in Tempo and in Jaeger, asked for over their documented APIs, and told alike."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from plugins.observability.agent_gateway_observability.settings import ObservabilitySettings
from plugins.observability.agent_gateway_observability.tools import QueryTools
from tests.telemetry_spans import StubSpan, as_jaeger, as_otlp, as_search_hit
from tests.telemetry_stubs import JaegerStub, Stub, TempoStub, running_stub

import agent_gateway as ag

NOW = float(int(time.time()))
SLOW = "a" * 32
FINE = "0" * 30 + "b1"


def spans_of(trace: str, scale: float, error: str = "") -> list[StubSpan]:
    """A request to web that takes `scale` seconds: a tenth itself, then cart, whose time is that of the database."""
    ids = ["1" * 16, "2" * 16, "3" * 16, "4" * 16]
    start = NOW - 60
    return [
        StubSpan(trace, ids[0], "", "web", "GET /cart", start, scale),
        StubSpan(trace, ids[1], ids[0], "cart", "load", start + scale * 0.1, scale * 0.9),
        StubSpan(trace, ids[2], ids[1], "db", "SELECT", start + scale * 0.2, scale * 0.8, error),
        StubSpan(trace, ids[3], ids[0], "web", "log", start, scale * 0.05),
    ]


def fill(stub: Stub, traces: Sequence[Sequence[StubSpan]]) -> None:
    if isinstance(stub, TempoStub):
        stub.hits = [as_search_hit(spans) for spans in traces]
        stub.traces = {spans[0].trace: as_otlp(spans) for spans in traces}
    elif isinstance(stub, JaegerStub):
        stub.traces = [as_jaeger(spans) for spans in traces]


@pytest.fixture(params=[TempoStub, JaegerStub])
def stub(request: pytest.FixtureRequest) -> Stub:
    stub: Stub = request.param()
    fill(stub, [spans_of(FINE, 0.1), spans_of(SLOW, 2, "deadlock detected")])
    return stub


@pytest.fixture
def tools(stub: Stub) -> Iterator[QueryTools]:
    with running_stub(stub) as address:
        kind = "tempo" if isinstance(stub, TempoStub) else "jaeger"
        yield QueryTools(ObservabilitySettings.model_validate({kind: {"air": address}}))


async def test_traces_tell_what_was_slow_what_failed_and_who_called_whom(tools: QueryTools) -> None:
    head, times, *lines = (await tools.get_traces(service="web")).splitlines()
    assert head.endswith(" of 'air', traces of web in the last 1h.")
    assert times == "2 traces, p50 100ms, p95 2s:"
    assert lines[0].startswith(f"{SLOW} 20")
    assert lines[0].endswith("Z 2s web: GET /cart (4 spans, 1 failed)")
    assert lines[1].startswith(FINE)
    assert lines[1].endswith("Z 100ms web: GET /cart (4 spans)")
    told = "\n".join(lines[2:])
    assert "Slow spans (own time):\n  1.6s db: SELECT\n  200ms cart: load" in told
    assert f"1 failed span:\n  db: SELECT after 1.6s: deadlock detected (trace {SLOW})" in told
    path = [(100, 5, "web: GET /cart"), (100, 5, "web: log"), (200, 10, "cart: load")]
    shown = "".join(f"\n  {each}ms ({share} %) {title}" for each, share, title in path)
    assert f"Critical path of {SLOW}, 2s:{shown}\n  1.6s (80 %) db: SELECT" in told
    assert "  cart -> db: 2 calls, 50 % failed, p50 80ms, p95 1.6s" in told
    assert "  web -> cart: 2 calls, 0 % failed, p50 90ms, p95 1.8s" in told


async def test_one_trace_is_told_with_its_tree(tools: QueryTools) -> None:
    head, summary, *lines = (await tools.get_traces(trace_id=f" {SLOW.upper()} ")).splitlines()
    assert head.endswith(" of 'air':")
    assert summary.endswith(" 2s web: GET /cart (4 spans, 1 failed)")
    assert lines[-5:] == [
        "Spans:",
        "  +0ms 2s web: GET /cart",
        "    +0ms 100ms web: log",
        "    +200ms 1.8s cart: load",
        "      +400ms 1.6s db: SELECT FAILED",
    ]
    assert "  cart -> db: 1 call, 100 % failed, p50 1.6s, p95 1.6s" in lines


async def test_a_search_is_asked_for_in_the_units_of_its_server(stub: Stub, tools: QueryTools) -> None:
    text = await tools.get_traces(service='we"b', since="15m", min_duration="1.5s", only_errors=True, limit=3)
    path, query = stub.asked[0]
    asked: Mapping[str, Any] = dict(query)
    begin, end = int(asked["start"]), int(asked["end"])
    assert asked["limit"] == "3"
    if isinstance(stub, TempoStub):
        assert path == "/api/search"
        assert asked["q"] == '{ resource.service.name = "we\\"b" && duration >= 1500000us && status = error }'
        assert 900 <= end - begin <= 902
    else:
        assert path == "/api/traces"
        assert (asked["service"], asked["minDuration"], asked["tags"]) == ('we"b', "1500000us", '{"error":"true"}')
        assert (end - begin) / 1e6 == pytest.approx(900, abs=0.01)
    assert 'traces of we"b with errors of 1.5s or longer in the last 15m' in text


async def test_a_reached_limit_is_mentioned(tools: QueryTools) -> None:
    assert "The limit of 1 is reached: there may be more." in await tools.get_traces(service="web", limit=1)
    assert "is reached" not in await tools.get_traces(service="web", limit=3)


async def test_nothing_found_is_said(stub: Stub, tools: QueryTools) -> None:
    fill(stub, [])
    assert "None was found. Traces may be sampled" in await tools.get_traces(service="web")
    with pytest.raises(ag.NotFound):
        await tools.get_traces(trace_id="abc")


async def test_without_a_service_all_are_searched(stub: Stub, tools: QueryTools) -> None:
    text = await tools.get_traces()
    assert "2 traces, p50" in text
    if isinstance(stub, TempoStub):
        assert stub.asked[0][1]["q"] == "{}"
    else:
        assert stub.asked[0] == ("/api/services", {})
        assert sorted(query["service"] for _, query in stub.asked[1:]) == ["cart", "db", "web"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"trace_id": "xyz"}, "up to 32 hexadecimal digits"),
        ({"trace_id": "a" * 33}, "up to 32 hexadecimal digits"),
        ({"trace_id": "a/../../b"}, "up to 32 hexadecimal digits"),
        ({"since": "2d"}, "2d long, at most 1d"),
        ({"min_duration": "slow"}, "'slow' is no length of time"),
        ({"limit": 51}, "limit must be from 1 to 50"),
        ({"service": "a\nb"}, "service is no name of a service"),
        ({"cluster": "mars"}, "there are: air"),
    ],
)
async def test_what_is_wrong_is_never_sent(arguments: dict[str, Any], said: str, stub: Stub, tools: QueryTools) -> None:
    with pytest.raises(ag.GatewayError) as caught:
        await tools.get_traces(**arguments)
    assert said in str(caught.value)
    assert stub.asked == []
