"""A real Prometheus, asked directly, through our MCP server, and by plain messages to auditor without a model."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from plugins.observability import agent_gateway_observability as plugin
from tests.observability_servers import PLUGINS, running_mcp_server, running_prometheus

import agent_gateway as ag
from agent_gateway.testing import gateway_for

TOKEN_VARIABLE = "OBSERVABILITY_TEST_TOKEN"
TOKEN = "a-token-of-the-test"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_prometheus(tmp_path_factory.mktemp("prometheus")) as address:
        yield address


@pytest.fixture(scope="module")
def mcp(prometheus: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = {"prometheus": {"air": prometheus}, "mcp_token_env": TOKEN_VARIABLE}
    with running_mcp_server(tmp_path_factory.mktemp("mcp"), settings, **{TOKEN_VARIABLE: TOKEN}) as address:
        yield address


@pytest.fixture(params=["direct", "mcp"])
def settings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a gateway is told: the servers, or where our MCP server is that knows them."""
    if request.param == "direct":
        return {"prometheus": {"air": request.getfixturevalue("prometheus")}}
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    return {"mcp": request.getfixturevalue("mcp"), "mcp_token_env": TOKEN_VARIABLE}


async def ask(settings: Mapping[str, Any], **arguments: Any) -> list[str]:
    """The lines that `query_prometheus` answers."""
    tools = {each.name: each for each in plugin.register_tools(read(settings))}
    return str(await tools["query_prometheus"].run(**arguments)).splitlines()


def read(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"observability": plugin.register_settings().model_validate(settings)}


async def test_a_moment_is_a_line_for_each_series(settings: dict[str, Any]) -> None:
    head, count, *series = await ask(settings, query="sum by (job) (up)")
    assert head.startswith("Prometheus of 'air' at 20")
    assert count == "3 series:"
    assert sorted(series) == ['{job="gone"} 0', '{job="node"} 1', '{job="prometheus"} 1']
    shared = await ask(settings, query='up{job=~"node|gone"}', cluster="air")
    assert shared[1] == "2 series, all of up:"
    assert shared[2].endswith('job="node", rack="attic"} 1')
    assert (await ask(settings, query="1 + 1"))[1] == "2"
    assert (await ask(settings, query="up > 1"))[1].startswith("No series: nothing matches")


async def test_a_range_is_summed_up_and_its_step_raised(settings: dict[str, Any]) -> None:
    head, count, series = await ask(settings, query=f"vector(time() - {int(time.time()) - 1000})", since="10m")
    assert head.endswith(", a point each 5s.")
    assert count == "1 series:"
    assert re.fullmatch(
        r"\{\} last 1\d+.*, min \d+.* at [\d: -]+, max .*, rising by 600 \(\+1\d\d %\), 121 points", series
    )
    raised, *_ = await ask(settings, query='up{job="node"}', since="1h", step="1s")
    assert raised.endswith(", a point each 10s (not 1s, which would be too many).")
    (_, _, scraped) = await ask(settings, query='up{job="node"}', start="now-5s", step="500ms")
    assert re.search(r'rack="attic"} last 1, constant, \d+ points', scraped)


async def test_many_series_are_cut_off_and_counted(settings: dict[str, Any]) -> None:
    lines = await ask(settings, query='{job="prometheus"}')
    total = int(lines[1].split()[0])
    assert total > 100
    assert len(lines) == 53
    assert lines[-1] == f"{total - 50} more series are cut off; the largest are shown."


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"query": "rate(up[5m)"}, "this `[` is closed by `)`"),
        ({"query": "nosuch(up)"}, "wrong at character 1"),
        ({"query": '{job=~".+"}'}, "selects every series"),
        ({"query": "up", "since": "8d"}, "8d long, at most 7d"),
        ({"query": "up", "start": "now-1h", "since": "1h"}, "leave start and end out"),
        ({"query": "up", "cluster": "mars"}, "there are: air"),
        ({"query": "up * on() up"}, "refuses the query"),
    ],
)
async def test_what_cannot_be_answered_says_why(arguments: dict[str, Any], said: str, settings: dict[str, Any]) -> None:
    with pytest.raises(ag.GatewayError) as caught:
        await ask(settings, **arguments)
    assert said in str(caught.value)
    assert not isinstance(caught.value, ag.Unavailable)


async def test_the_check_says_that_it_answers(settings: dict[str, Any]) -> None:
    (check,) = plugin.register_checks(read(settings))
    nobody: Any = None
    result = await check.run(nobody)
    assert (result.ok, result.hint) == (True, "")
    assert result.detail in {"Prometheus of 'air' answers queries (scalar)", "the MCP server has the same 3 tools"}


@pytest.mark.parametrize("message", ["sum by (job) (up) == 0", "`up == 0`"])
async def test_a_query_as_a_message_is_answered_without_a_model(message: str, settings: dict[str, Any]) -> None:
    plugins = [PLUGINS / "auditor", PLUGINS / "observability"]
    async with gateway_for("auditor", plugins=plugins, settings={"plugins": {"observability": settings}}) as gateway:
        answer = await gateway.ask("auditor", message)
    assert answer.status == "completed"
    assert [(call.name, call.status) for call in answer.tool_calls] == [("query_prometheus", "ok")]
    assert "Prometheus of 'air' at 20" in answer.response
    assert 'job="gone"} 0' in answer.response
    assert 'job="node"' not in answer.response
