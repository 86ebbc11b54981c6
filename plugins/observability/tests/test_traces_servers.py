"""What Tempo and Jaeger do each in their own way, and answers that are not as documented."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from plugins.observability.agent_gateway_observability import register_checks
from plugins.observability.agent_gateway_observability.settings import ObservabilitySettings
from plugins.observability.agent_gateway_observability.tempo import read_spans
from plugins.observability.agent_gateway_observability.tools import QueryTools
from tests.telemetry_spans import StubSpan, as_jaeger, as_otlp, as_search_hit
from tests.telemetry_stubs import JaegerStub, LokiStub, TempoStub, running_stub

import agent_gateway as ag

TRACE = "c" * 32
ID = "d" * 16


def one_span(trace: str = TRACE, service: str = "web", seconds: float = 1.0, error: str = "") -> list[StubSpan]:
    return [StubSpan(trace, ID, "", service, "GET /", float(int(time.time())) - 9, seconds, error)]


@pytest.fixture
def tempo() -> TempoStub:
    return TempoStub()


@pytest.fixture
def jaeger() -> JaegerStub:
    return JaegerStub()


@pytest.fixture
def ask(tempo: TempoStub, jaeger: JaegerStub) -> Iterator[Callable[[str], QueryTools]]:
    """The tools of a gateway that knows these kinds of servers, as `tempo jaeger`."""
    with running_stub(tempo) as one, running_stub(jaeger) as other:
        addresses = {"tempo": {"air": one}, "jaeger": {"air": other}}
        yield lambda kinds: QueryTools(
            ObservabilitySettings.model_validate({kind: addresses[kind] for kind in kinds.split()})
        )


async def test_tempo_is_asked_where_a_cluster_has_both(
    tempo: TempoStub, jaeger: JaegerStub, ask: Callable[[str], QueryTools]
) -> None:
    assert (await ask("tempo jaeger").get_traces()).startswith("Tempo of 'air'")
    assert (len(tempo.asked), jaeger.asked) == (1, [])


async def test_tempo_tells_of_traces_that_are_not_there_any_more(
    tempo: TempoStub, ask: Callable[[str], QueryTools]
) -> None:
    tempo.hits = [as_search_hit(one_span(f"{number:032x}", seconds=number / 2000)) for number in range(1, 15)]
    tempo.traces = {f"{number:032x}": as_otlp(one_span(f"{number:032x}", seconds=number / 2000)) for number in (2, 14)}
    text = await ask("tempo").get_traces()
    # The slowest ten are read in full, of which one is there; a duration under 1 ms is left out of a search.
    assert len(tempo.asked) == 11
    assert f"{14:032x} " in text.splitlines()[2]
    assert text.count("(1 span)") == 1
    assert "What follows is about the slowest 1 of them." in text
    assert "p50 3ms" in text


@pytest.mark.parametrize(
    "wrap", [lambda batches: {"trace": {"resourceSpans": batches}}, lambda batches: {"batches": batches}]
)
def test_opentelemetry_json_is_read_in_all_its_forms(wrap: Callable[[Any], Any]) -> None:
    spans = {
        "spanId": "00000000000000ab",
        "name": "",
        "startTimeUnixNano": "1000000000",
        "endTimeUnixNano": 3_000_000_000,
    }
    thrown = {"name": "exception", "attributes": [{"key": "exception.message", "value": {"stringValue": "boom"}}]}
    listed = {"key": "a", "value": {"arrayValue": {"values": []}}}
    coded = {"attributes": [listed, {"key": "http.status_code", "value": {"intValue": "503"}}]}
    older = {"instrumentationLibrarySpans": [{"spans": [spans | {"status": {"code": 2}, "events": [thrown]}]}]}
    newer = {
        "scopeSpans": [
            {"spans": [spans | coded | {"parentSpanId": "AAAAAAAAAKs=", "status": {"code": "STATUS_CODE_ERROR"}}]}
        ]
    }
    first, second = read_spans(wrap([older, newer | {"resource": {"attributes": []}}]))
    assert (first.id, first.parent, first.service, first.name) == ("00000000000000ab", "", "(unknown)", "(unnamed)")
    assert (first.start, first.duration, first.failed, first.message) == (1, 2, True, "boom")
    assert (second.parent, second.failed, second.message) == ("00000000000000ab", True, "status 503")


async def test_jaeger_tells_failures_in_several_ways(jaeger: JaegerStub, ask: Callable[[str], QueryTools]) -> None:
    trace = as_jaeger(
        [*one_span(), *(one._replace(id=f"{number}" * 16) for number in range(1, 4) for one in one_span())]
    )
    by_tag, by_log, by_status, fine = trace["spans"]
    by_tag["tags"] = [{"key": "error", "type": "string", "value": "true"}]
    entry = {"timestamp": 1, "fields": [{"key": "error.object", "type": "string", "value": "broken pipe"}]}
    by_log |= {
        "tags": [{"key": "error", "type": "bool", "value": True}],
        "logs": [{"timestamp": 0, "fields": []}, entry],
    }
    status = {"key": "http.status_code", "type": "int64", "value": 502}
    by_status["tags"] = [{"key": "otel.status_code", "type": "string", "value": "ERROR"}, status]
    fine["references"] = [{"refType": "FOLLOWS_FROM", "traceID": TRACE, "spanID": ID}]
    by_log["references"] = [{"refType": "CHILD_OF", "traceID": "e" * 32, "spanID": ID}]
    jaeger.traces = [trace]
    text = await ask("jaeger").get_traces(trace_id=TRACE)
    assert "(4 spans, 3 failed)" in text
    assert "  web: GET / after 1s: broken pipe\n" in text
    assert "  web: GET / after 1s: status 502\n" in text
    # What another trace caused is no child here.
    assert text.count("\n    +0ms") == 1


async def test_jaeger_needs_a_service_where_there_are_many(
    jaeger: JaegerStub, ask: Callable[[str], QueryTools]
) -> None:
    names = ["jaeger-all-in-one", *(f"s{number}" for number in range(9))]
    jaeger.traces = [as_jaeger(one_span(f"{number:032x}", name)) for number, name in enumerate(names)]
    with pytest.raises(ag.InvalidInput, match="say which service: s0, s1"):
        await ask("jaeger").get_traces()
    jaeger.traces = jaeger.traces[:9]
    assert "8 traces, p50 1s" in await ask("jaeger").get_traces()


@pytest.mark.parametrize("answer", [{"batches": 3}, {"batches": [{"scopeSpans": [{"spans": [{}]}]}]}, ["text"]])
async def test_a_trace_of_another_shape_is_an_error_of_the_server(
    answer: Any, tempo: TempoStub, jaeger: JaegerStub, ask: Callable[[str], QueryTools]
) -> None:
    tempo.traces[TRACE] = answer
    with pytest.raises(ag.Unavailable, match="another shape than its API documents"):
        await ask("tempo").get_traces(trace_id=TRACE)
    jaeger.traces = [{"traceID": TRACE, "processes": {}, "spans": answer}]
    with pytest.raises(ag.Unavailable, match="another shape than its API documents"):
        await ask("jaeger").get_traces(trace_id=TRACE)


async def test_spans_beyond_the_limit_are_left_out_and_it_is_said(tempo: TempoStub) -> None:
    tempo.traces[TRACE] = as_otlp([one._replace(id=f"{number:016x}") for number in range(25) for one in one_span()])
    with running_stub(tempo) as address:
        settings = ObservabilitySettings.model_validate({"tempo": address, "limits": {"spans": 10}})
        text = await QueryTools(settings).get_traces(trace_id=TRACE)
    assert "Only its first 10 spans are looked at, 15 are left out." in text


async def test_doctor_says_of_each_server_what_it_knows(tempo: TempoStub, jaeger: JaegerStub) -> None:
    loki = LokiStub()
    loki.streams = [({"app": "a", "pod": "b"}, [])]
    jaeger.traces = [as_jaeger(one_span())]
    with running_stub(loki) as logs, running_stub(tempo) as one, running_stub(jaeger) as other:
        settings = ObservabilitySettings.model_validate({"loki": logs, "tempo": one, "jaeger": {"air": other}})
        nobody: Any = None
        results = [await check.run(nobody) for check in register_checks({"observability": settings})]
    assert [(result.ok, result.detail) for result in results] == [
        (True, "Loki of 'default' knows 2 labels"),
        (True, "Tempo of 'default' knows 2 tags"),
        (True, "Jaeger of 'air' knows 1 services"),
    ]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/loki/api/v1/query_range", {"query": "{}", "start": "1772366400"}),
        ("/loki/api/v1/query_range", {"query": "{}", "from": "1772366400000000000"}),
        ("/loki/api/v1/query", {}),
        ("/api/search", {"q": "{}", "start": "1772366400000000000"}),
        ("/api/search", {"q": "service=web"}),
        ("/api/traces", {"start": "1772366400000000"}),
        ("/api/traces", {"service": "web", "start": "1772366400"}),
        ("/api/traces", {"service": "web", "minDuration": "1500"}),
        ("/api/traces", {"service": "web", "tags": json.dumps({"error": True})}),
        ("/api/v3/traces", {}),
    ],
)
def test_the_stubs_refuse_what_their_apis_do_not_document(path: str, query: dict[str, str]) -> None:
    jaeger_only = path == "/api/traces"
    for stub in (JaegerStub(),) if jaeger_only else (LokiStub(), TempoStub(), JaegerStub()):
        status, said = stub.answer(path, list(query.items()))
        assert status in {400, 404}
        assert isinstance(said, str)
        assert len(stub.breaches) == 1
