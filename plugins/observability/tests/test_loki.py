"""What Loki is asked, over its documented API, and what becomes of its answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from plugins.observability.agent_gateway_observability.settings import ObservabilitySettings
from plugins.observability.agent_gateway_observability.tools import QueryTools
from tests.telemetry_stubs import LokiStub, running_stub

import agent_gateway as ag

NANO = 1_000_000_000
APP = '{app="checkout"}'


@pytest.fixture
def loki() -> LokiStub:
    return LokiStub()


@pytest.fixture
def tools(loki: LokiStub) -> Iterator[QueryTools]:
    with running_stub(loki) as address:
        yield QueryTools(ObservabilitySettings.model_validate({"loki": {"air": address}}))


def log(loki: LokiStub, lines: list[str], *, age: float = 600, **labels: str) -> None:
    """Log lines a second apart, the first so many seconds ago."""
    first = int((time.time() - age) * NANO)
    loki.streams.append((labels, [(first + number * NANO, line) for number, line in enumerate(lines)]))


async def test_lines_become_patterns_and_the_newest(loki: LokiStub, tools: QueryTools) -> None:
    log(loki, [f"GET /cart/{number} took {number}ms" for number in range(40)], app="checkout", pod="a")
    log(loki, ["connection to 10.0.0.7:5432 refused"] * 3, age=60, app="checkout", pod="b")
    head, count, first, example, second, *_ = lines = (await tools.query_loki(APP)).splitlines()
    assert head.startswith("Loki of 'air' from 20")
    assert head.endswith('Z: 43 lines of {app="checkout"}.')
    assert count == "2 patterns:"
    assert first.startswith("40x GET /cart/<NUM> took <DURATION> (")
    assert " to " in first
    assert example == "   as in: GET /cart/39 took 39ms"
    assert second.startswith("3x connection to <IP> refused (")
    assert lines[6] == "The newest 10 lines:"
    assert lines[7].endswith('{pod="b"} connection to 10.0.0.7:5432 refused')
    assert lines[10].endswith('{pod="a"} GET /cart/39 took 39ms')
    assert len(lines) == 17


async def test_a_range_is_asked_for_in_nanoseconds_the_newest_first(loki: LokiStub, tools: QueryTools) -> None:
    await tools.query_loki(APP, since="15m", limit=7)
    ((path, query),) = loki.asked
    assert path == "/loki/api/v1/query_range"
    assert (query["query"], query["limit"], query["direction"]) == (APP, "7", "backward")
    assert (int(query["end"]) - int(query["start"])) / NANO == pytest.approx(900, abs=0.01)
    assert int(query["end"]) / NANO == pytest.approx(time.time(), abs=20)
    assert "step" not in query


async def test_older_lines_that_were_not_asked_for_are_mentioned(loki: LokiStub, tools: QueryTools) -> None:
    log(loki, ["tick"] * 50, age=100, app="checkout")
    text = await tools.query_loki(APP, limit=20)
    assert ": 20 lines of" in text
    assert "These are the newest 20, of the last 1m" in text
    assert "not asked for" not in await tools.query_loki(APP, limit=51)


async def test_nothing_is_said_to_be_nothing(tools: QueryTools) -> None:
    assert "No lines: nothing matches" in await tools.query_loki(APP)
    assert "No series: no line matches" in await tools.query_loki(f"rate({APP}[5m])")


async def test_a_metric_is_asked_for_over_a_range_with_a_step(loki: LokiStub, tools: QueryTools) -> None:
    points = [[int(time.time()) - 600 + each * 60, str(each)] for each in range(10)]
    loki.matrix = [{"metric": {"level": "error"}, "values": points}, {"metric": {"level": "info"}, "values": points}]
    text = await tools.query_loki(f"sum by (level) (rate({APP}[5m]))", since="2h")
    ((path, query),) = loki.asked
    assert (path, float(query["step"])) == ("/loki/api/v1/query_range", 60)
    assert "limit" not in query
    head, count, first, _ = text.splitlines()
    assert head.endswith("Z, a point each 1m.")
    assert count == "2 series:"
    assert first.startswith('{level="error"} last 9, min 0 at ')
    assert "rising by 9" in first


async def test_a_metric_of_now_is_one_number_each(loki: LokiStub, tools: QueryTools) -> None:
    loki.vector = [
        {"metric": {"app": name}, "value": [int(time.time()), value]} for name, value in (("a", "1"), ("b", "3"))
    ]
    text = await tools.query_loki(f"topk(2, sum by (app) (count_over_time({APP}[1h])))", since="now")
    ((path, query),) = loki.asked
    assert path == "/loki/api/v1/query"
    assert int(query["time"]) / NANO == pytest.approx(time.time(), abs=20)
    head, *rest = text.splitlines()
    assert head.startswith("Loki of 'air' at 20")
    assert rest == ["2 series:", '{app="b"} 3', '{app="a"} 1']


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"query": "{}"}, "this selector is empty"),
        ({"query": APP, "since": "2d"}, "2d long, at most 1d"),
        ({"query": APP, "since": "soon"}, "'soon' is no time"),
        ({"query": APP, "since": "now"}, "ends before it begins"),
        ({"query": APP, "limit": 5001}, "limit must be from 1 to 5000"),
        ({"query": APP, "cluster": "mars"}, "there are: air"),
    ],
)
async def test_what_is_wrong_is_never_sent(
    arguments: dict[str, Any], said: str, loki: LokiStub, tools: QueryTools
) -> None:
    with pytest.raises(ag.GatewayError) as caught:
        await tools.query_loki(**arguments)
    assert said in str(caught.value)
    assert loki.asked == []


async def test_colours_and_control_characters_are_taken_out(loki: LokiStub, tools: QueryTools) -> None:
    log(loki, ["\x1b[31mERROR\x1b[0m disk\x07 full"], app="checkout")
    text = await tools.query_loki(APP)
    assert text.splitlines()[-1].endswith(" ERROR disk full")
    assert text.replace("\n", " ").isprintable()


@pytest.mark.parametrize("values", [[["soon", "text"]], [[]], [7], "text", None])
async def test_another_shape_than_documented_is_an_error_of_the_server(
    values: Any, loki: LokiStub, tools: QueryTools
) -> None:
    loki.matrix = [{"metric": {}, "values": values}]
    with pytest.raises(ag.Unavailable, match="another shape than its API documents"):
        await tools.query_loki(f"rate({APP}[5m])")
