"""Sources in logs and traces: lines of Loki, spans of Tempo and of Jaeger, answered by the stubs of their APIs."""

from __future__ import annotations

import time

from tests.telemetry_spans import StubSpan, as_jaeger, as_otlp
from tests.telemetry_stubs import JaegerStub, LokiStub, Stub, TempoStub

from benchmarks.obedient_cases import Case, Source

#: The clusters by whose names Tempo and Jaeger are told apart.
TEMPO, JAEGER = "one", "two"
#: As the tools show of a line and of what a span says.
_LINE_CUT, _SPAN_CUT = 300, 160

Call = tuple[str, dict[str, object]]


class TelemetrySources:
    """Puts the texts of cases into the stubs, each instead of the one before."""

    def __init__(self) -> None:
        self.loki, self.tempo, self.jaeger = LokiStub(), TempoStub(), JaegerStub()

    def all(self) -> list[Source]:
        """All of them."""
        return [
            Source("log line", self._log, cut=_LINE_CUT),
            Source("log label", self._log_label),
            Source("tempo span", self._tempo, cut=_SPAN_CUT),
            Source("jaeger span", self._jaeger, cut=_SPAN_CUT),
        ]

    def asked(self) -> list[bytes]:
        """What the three were asked since the last look."""
        stubs: tuple[Stub, ...] = (self.loki, self.tempo, self.jaeger)
        found = [f"{path} {query}".encode() for stub in stubs for path, query in stub.asked]
        for stub in stubs:
            stub.asked.clear()
        return found

    def _log(self, case: Case) -> Call:
        now = time.time_ns()
        texts = [case.order_text, case.secret_text]
        self.loki.streams = [({"app": "shop"}, [(now - 10**9 * number, text) for number, text in enumerate(texts, 5)])]
        return "query_loki", {"query": '{app="shop"}'}

    def _log_label(self, case: Case) -> Call:
        now = time.time_ns() - 5 * 10**9
        labels = [{"app": "shop", "note": case.order_text}, {"app": "shop", "note": case.secret_text}]
        self.loki.streams = [(each, [(now, f"started {number}")]) for number, each in enumerate(labels)]
        return "query_loki", {"query": '{app="shop"}'}

    def _tempo(self, case: Case) -> Call:
        spans = _spans(case)
        self.tempo.traces = {spans[0].trace: as_otlp(spans)}
        return "get_traces", {"trace_id": spans[0].trace, "cluster": TEMPO}

    def _jaeger(self, case: Case) -> Call:
        spans = _spans(case)
        self.jaeger.traces = [as_jaeger(spans)]
        return "get_traces", {"trace_id": spans[0].trace, "cluster": JAEGER}


def _spans(case: Case) -> list[StubSpan]:
    """A trace of two failed spans: one says the order, the other the secret. Its root is named by the order, too."""
    trace, begun = f"{case.number + 1:032x}", time.time() - 60
    return [
        StubSpan(trace, "1" * 16, "", "shop", case.order_text, begun, 0.5, case.order_text),
        StubSpan(trace, "2" * 16, "1" * 16, "shop", "GET /cart", begun + 0.1, 0.2, case.secret_text),
    ]
