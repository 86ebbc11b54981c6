from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.unit.plugins.folder import build, drop, hook, persona

from agent_gateway.api.edge import Edge
from agent_gateway.config import read_configuration
from agent_gateway.errors import Conflict, NotFound, StorageFailed, Unavailable
from agent_gateway.gateway import Gateway, Parts
from agent_gateway.interfaces import TurnRequest
from agent_gateway.testing import HashingEncoder, ScriptedModel, StaticClassifier, StaticKnowledge, passage

NORA = persona("id='nora', title='Nora', prompt='N', port=1, collections=('docs',)")
MARY = persona("id='mary-kay', title='M', prompt='M', port=3, collections=('shop',), collections_only=True")
PARTS = Parts(
    encoder=HashingEncoder(),
    classifier=StaticClassifier(),
    knowledge=StaticKnowledge({"docs": [passage("The keys are in the drawer.")], "extra": []}),
)


def a_gateway(folder: Path, parts: Parts = PARTS, personas: str = "", **plugins: str) -> Gateway:
    drop(folder, **plugins)
    registry = build(
        folder, personas=personas, settings="server: {body_limit_bytes: 4096, cors_origins: ['https://a.b']}"
    )
    return Gateway(read_configuration(folder=folder, environ={}), registry, parts, control_token="token")


@asynccontextmanager
async def started(gateway: Gateway) -> AsyncIterator[Edge]:
    try:
        yield await gateway.start()
    finally:
        await gateway.drain(1)


async def ask(edge: Edge, message: str = "Where are the keys?") -> str:
    run = await edge.runs.start(TurnRequest(persona="nora", owner="local", message=message))
    return (await edge.runs.result(run.id)).response


async def test_every_part_is_ready_when_the_gateway_has_started(tmp_path: Path) -> None:
    gateway = a_gateway(tmp_path, nora=NORA)
    assert set(gateway.readiness.parts().values()) == {"starting"}
    async with started(gateway) as edge:
        assert edge.readiness.ready
        assert edge.readiness.parts() == dict.fromkeys(
            ("runs", "encoder", "knowledge", "classifier", "personas"), "ready"
        )
        assert await ask(edge) == "The keys are in the drawer. [1]"


async def test_what_is_missing_is_noted_and_holds_nothing_back(tmp_path: Path) -> None:
    failing = persona("id='rita', title='R', prompt='R', port=9") + hook(
        "on_startup", "raise RuntimeError('no licence')"
    )
    gateway = a_gateway(
        tmp_path, nora=NORA, broken="raise RuntimeError('boom')", rita=failing, personas="personas: {anna: {port: 7}}"
    )
    async with started(gateway) as edge:
        parts = edge.readiness.parts()
        assert edge.readiness.ready
        assert set(edge.personas) == {"nora"}
        assert set(edge.disabled) == {"anna", "rita"}
    assert parts["plugin broken"].startswith("note: disabled: ")
    assert "boom" in parts["plugin broken"]
    assert parts["persona anna"].startswith("note: not served: ")
    assert "no licence" in parts["plugin rita"]


async def test_the_edge_is_told_what_the_settings_and_the_registry_say(tmp_path: Path) -> None:
    async with started(a_gateway(tmp_path, nora=NORA, mary=MARY)) as edge:
        assert (edge.settings.body_limit_bytes, edge.settings.control_token) == (4096, "token")
        assert tuple(edge.settings.cors_origins) == ("https://a.b",)
        assert edge.visible_collections("mary-kay") == ("shop",)
        assert set(edge.visible_collections("nora")) == {"docs", "extra"}
        assert "query" in edge.intents_of("nora")


async def test_knowledge_that_was_brought_along_is_left_alone(tmp_path: Path) -> None:
    async with started(a_gateway(tmp_path, nora=NORA)) as edge:
        await ask(edge)
        with pytest.raises(Conflict, match="brought along"):
            await edge.ingestion.drop("docs")
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"runs.sqlite3", "audit.key", "audit.head"}


async def test_models_that_are_brought_along_stand_in_for_those_of_their_tiers(tmp_path: Path) -> None:
    parts = Parts(
        encoder=PARTS.encoder,
        classifier=PARTS.classifier,
        knowledge=PARTS.knowledge,
        models={"extractive": ScriptedModel(["I say."]), "small": ScriptedModel(["never"])},
    )
    async with started(a_gateway(tmp_path, parts, nora=NORA)) as edge:
        assert await ask(edge) == "I say."


async def test_a_gateway_may_be_drained_before_and_after_it_started(tmp_path: Path) -> None:
    await a_gateway(tmp_path, nora=NORA).drain(1)
    gateway = a_gateway(tmp_path, nora=NORA)
    edge = await gateway.start()
    for _ in range(2):
        await gateway.drain(1)
    with pytest.raises(Unavailable) as raised:
        await ask(edge)
    assert raised.value.code == "shutting_down"


async def test_what_was_asked_before_a_restart_is_there_after_it(tmp_path: Path) -> None:
    async with started(a_gateway(tmp_path, nora=NORA)) as edge:
        run = await edge.runs.start(TurnRequest(persona="nora", owner="local", message="Where are the keys?"))
        answer = await edge.runs.result(run.id)
    async with started(a_gateway(tmp_path, nora=NORA)) as edge:
        assert (await edge.runs.get(run.id, "nora", "local")).answer == answer
        with pytest.raises(NotFound):
            await edge.runs.get(run.id, "nora", "eve")


@pytest.mark.parametrize(
    ("error", "said"),
    [(StorageFailed("the disk is gone"), "the disk is gone"), (ZeroDivisionError("x"), "ZeroDivisionError('x')")],
)
async def test_what_ends_in_the_background_is_logged(tmp_path: Path, error: Exception, said: str) -> None:
    async def fail() -> None:
        raise error

    gateway = a_gateway(tmp_path, nora=NORA)
    with capture_logs() as logs:
        gateway._spawn(fail())
        gateway._spawn(asyncio.sleep(60))
        await asyncio.sleep(0.01)
        await gateway.drain(1)
    ended = [each for each in logs if each["event"] == "background_task_ended"]
    assert [(each["error"], each["log_level"], each["exc_info"]) for each in ended] == [(said, "error", error)]
