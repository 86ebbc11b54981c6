from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from tests.live_edge import LiveEdge, live_edge
from tests.memory_gateway import TOKEN, MemoryGateway
from tests.unit.cli.conftest import Cli

from agent_gateway.api.edge import Edge, EdgeSettings
from agent_gateway.cli.control import ControlClient
from agent_gateway.cli.output import Output
from agent_gateway.cli.route_report import first_persona, lines_of, report_route, show
from agent_gateway.config import read_configuration
from agent_gateway.errors import GatewayError
from agent_gateway.intent import Intent
from agent_gateway.interfaces import RouteChoice, RouteExplanation, Standing
from agent_gateway.knowledge.lock import DataLock
from agent_gateway.messages import Route

INTENT = Intent(category="query", complexity="low", reasoning_depth=1, accuracy_requirement=1, confidence=0.9)
PARTS = {"words": 0.5, "reasoning_depth": 2.0, "passages": 0.0, "accuracy_requirement": 3.0}


async def explain(persona: str, message: str) -> RouteExplanation:
    """An explanation of the right shape."""
    reason = "score 5.5 calls for the medium tier; the medium tier cannot answer: it rests, so the small tier answers"
    return RouteExplanation(
        persona=persona,
        message=message,
        intent=INTENT,
        collections=("homelab-docs",),
        passages=2,
        evidence=0.75,
        policy="documented",
        choice=RouteChoice(tier="medium", score=5.5, parts=PARTS, reason="score 5.5 calls for the medium tier"),
        route=Route(tier="small", model="lab/small", score=5.5, parts=PARTS, reason=reason),
        other_policy="calibrated",
        other=RouteChoice(tier="large", score=1.6, parts={"offset": 1.6}, reason="difficulty 1.60"),
        standings={"small": Standing(up=True, model="lab/small"), "medium": Standing(up=False, why="it rests")},
    )


class ExplainingGateway(MemoryGateway):
    """A gateway in memory that explains routes."""

    def edge(self, settings: EdgeSettings | None = None) -> Edge:
        """The edge of this gateway."""
        return replace(super().edge(settings), explain=explain)


@pytest.fixture
async def live() -> AsyncIterator[LiveEdge]:
    async with live_edge(ExplainingGateway()) as made:
        yield made


@pytest.fixture
async def control(live: LiveEdge) -> AsyncIterator[ControlClient]:
    async with ControlClient(live.url("control"), TOKEN) as made:
        yield made


async def test_an_explanation_comes_whole_over_the_control_socket(control: ControlClient) -> None:
    assert await control.explain_route("bruno", "hello") == await explain("bruno", "hello")


@pytest.mark.parametrize(
    ("persona", "message", "code"),
    [("nobody", "x", "persona_not_found"), ("broken", "x", "persona_disabled"), ("bruno", " ", "invalid_input")],
)
async def test_what_cannot_be_explained_is_a_problem(
    control: ControlClient, persona: str, message: str, code: str
) -> None:
    with pytest.raises(GatewayError) as raised:
        await control.explain_route(persona, message)
    assert raised.value.code == code


async def test_the_first_persona_that_is_served_is_asked(control: ControlClient) -> None:
    assert await first_persona(control) == "bruno"


async def test_the_command_asks_the_running_gateway(
    live: LiveEdge, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    configuration = read_configuration(folder=tmp_path, environ={})
    lock = DataLock(configuration.settings.data_dir)
    lock.acquire()
    try:
        lock.publish(live.url("control"), TOKEN, live.url("gateway"))
        # The command runs an event loop of its own.
        await asyncio.to_thread(report_route, "hello", "mary-kay", configuration, as_json=False)
    finally:
        lock.release()
    written = capfd.readouterr().out
    assert "persona:   mary-kay\n" in written
    assert "so the small tier answers\n" in written
    assert "medium\tdown\t-\tit rests\n" in written


async def test_a_report_has_a_line_for_all_that_counted() -> None:
    found = dict(lines_of(await explain("bruno", "hello")))
    assert found["score"] == "5.5 = words 0.5 + reasoning_depth 2 + accuracy_requirement 3"
    assert found["passages"] == "2 kept, evidence 0.75, searched: homelab-docs"
    assert found["otherwise"] == "the calibrated policy: large, difficulty 1.60"
    assert (found["tier"], found["model"], found["policy"]) == ("small", "lab/small", "documented")


async def test_a_report_without_models_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    bare = await explain("bruno", "hello")
    show(Output(as_json=False), msgspec.structs.replace(bare, standings={}, other=None))
    written = capsys.readouterr().out
    assert "No model is configured" in written
    assert "the calibrated policy: does not decide here" in written


def test_a_message_must_be_text(cli: Cli, home: Path) -> None:
    done = cli("route", " ")
    assert (done.code, done.err.startswith("Error: an argument is")) == (1, True)
    assert not (home / "data").exists()
