from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.live_edge import live_edge
from tests.memory_gateway import TOKEN, MemoryGateway, MemoryKnowledge
from tests.unit.cli.conftest import Cli

from agent_gateway.cli.administration import LocalAdministration, open_administration
from agent_gateway.cli.control import ControlClient
from agent_gateway.cli.lookup import find_gateway
from agent_gateway.config import read_configuration
from agent_gateway.errors import Conflict, GatewayError
from agent_gateway.knowledge.lock import DataLock

LATIN = os.fsdecode(b"caf\xe9")

pytestmark = pytest.mark.usefixtures("own_logs")


async def test_without_a_gateway_the_same_is_found_as_with_one() -> None:
    knowledge = MemoryKnowledge()
    local = LocalAdministration(knowledge, knowledge)
    async with live_edge(MemoryGateway()) as live, ControlClient(live.url("control"), TOKEN) as control:
        for request in (
            ("a refund", "customer-docs", 3),
            ("certificate", "homelab-docs", 1),
            ("zebra", "homelab-docs", 5),
        ):
            assert await local.search(*request) == await control.search(*request)
        assert await local.collections() == await control.collections()
        for administration in (local, control):
            with pytest.raises(GatewayError) as missing:
                await administration.search("x", "nothing", 1)
            assert missing.value.code == "collection_not_found"
            assert "homelab-docs" in missing.value.hint


async def test_the_running_gateway_is_handed_the_work(tmp_path: Path) -> None:
    configuration = read_configuration(folder=tmp_path, environ={})
    async with live_edge() as live:
        lock = DataLock(configuration.settings.data_dir)
        lock.acquire()
        try:
            assert find_gateway(configuration) is None
            lock.publish(live.url("control"), TOKEN, live.url("gateway"))
            async with open_administration(configuration, quiet=True) as administration:
                await administration.drop("homelab-docs")
        finally:
            lock.release()
    assert live.gateway.knowledge.names() == ("customer-docs",)
    assert find_gateway(configuration) is None


async def test_a_directory_that_an_ingest_has_is_busy(tmp_path: Path) -> None:
    configuration = read_configuration(folder=tmp_path, environ={})
    with DataLock(configuration.settings.data_dir), pytest.raises(Conflict) as busy:
        async with open_administration(configuration, quiet=True):
            pass
    assert busy.value.code == "data_locked"


@pytest.mark.parametrize(
    "command",
    [
        ["ask", "echo", LATIN],
        ["ask", "echo", " "],
        ["search", LATIN, "-c", "x"],
        ["search", "", "-c", "x"],
        ["ingest", LATIN, "-c", "x"],
    ],
)
def test_what_is_no_text_is_refused_at_once(cli: Cli, home: Path, command: list[str]) -> None:
    done = cli(*command)
    assert (done.code, done.err.startswith("Error: an argument is")) == (1, True)
    assert not (home / "data").exists()
