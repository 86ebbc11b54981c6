from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from tests.unit.plugins.folder import build, drop, persona

from agent_gateway.config import read_configuration
from agent_gateway.errors import Conflict, GatewayError, InvalidInput, StorageFailed
from agent_gateway.gateway import Parts
from agent_gateway.knowledge.lock import DataLock, read_lock
from agent_gateway.registry import Registry
from agent_gateway.server.hosting import Placement, open_house, port_requests, shift
from agent_gateway.testing import HashingEncoder, StaticClassifier, StaticKnowledge

PARTS = Parts(encoder=HashingEncoder(), classifier=StaticClassifier(), knowledge=StaticKnowledge())


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """One listed persona, and one that was only dropped in."""
    drop(tmp_path, one=persona("id='one', port=30101, title='O', prompt='x'"))
    drop(tmp_path, two=persona("id='two', port=30102, title='T', prompt='x'"))
    return build(tmp_path, personas="personas: {one: {}}\n", settings="server: {grace_seconds: 2}\n")


@pytest.mark.parametrize(("port", "offset", "real"), [(8080, 0, 8080), (8080, 1000, 9080), (8080, None, 0), (0, 5, 0)])
def test_an_offset_shifts_a_port(port: int, offset: int | None, real: int) -> None:
    assert shift(port, offset) == real


@pytest.mark.parametrize("offset", [60_000, -8080, -9000])
def test_an_offset_beyond_all_ports_is_refused(offset: int) -> None:
    with pytest.raises(InvalidInput, match="8080 shifted by"):
        shift(8080, offset)


def test_every_port_is_asked_for_and_a_dropped_in_one_is_optional(registry: Registry) -> None:
    asked = {each.name: (each.port, each.kind, each.optional) for each in port_requests(registry, 8080, 10)}
    assert asked == {
        "gateway": (8090, "gateway", False),
        "one": (30111, "persona", False),
        "two": (30112, "persona", True),
    }


async def test_a_house_is_ready_when_its_block_begins_and_gone_after_it(tmp_path: Path, registry: Registry) -> None:
    configuration = read_configuration(folder=tmp_path, environ={})
    told: list[Mapping[str, str]] = []
    with open_house(configuration, registry, parts=PARTS) as house:
        held, control_url = read_lock(configuration.settings.data_dir), house.bound.control.url
        async with house.served(told.append), httpx.AsyncClient() as client:
            ready = await client.get(f"{control_url}/readyz")
            listed = await client.get(f"{held.gateway_url if held else ''}/personas")
    assert ready.json()["status"] == "ready"
    assert [each["id"] for each in listed.json()["personas"]] == ["one", "two"]
    assert told
    assert held is not None
    assert (held.control_url, held.token) == (control_url, house.token)
    assert read_lock(configuration.settings.data_dir) is None
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", int(held.control_url.rpartition(":")[2]))


def test_a_locked_data_directory_is_left_alone(tmp_path: Path, registry: Registry) -> None:
    configuration = read_configuration(folder=tmp_path, environ={})
    house = open_house(configuration, registry)
    with DataLock(configuration.settings.data_dir), pytest.raises(Conflict) as busy, house:
        pass
    assert busy.value.code == "data_locked"


def test_the_lock_is_given_back_when_a_port_is_taken(tmp_path: Path, registry: Registry) -> None:
    configuration = read_configuration(folder=tmp_path, environ={})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        offset = int(taken.getsockname()[1]) - 30101
        with pytest.raises(GatewayError) as refused, open_house(configuration, registry, Placement(port_offset=offset)):
            pass
    assert refused.value.code == "port_taken"
    assert read_lock(configuration.settings.data_dir) is None


def test_a_dropped_in_plugin_whose_port_is_taken_is_disabled_alone(tmp_path: Path, registry: Registry) -> None:
    configuration = read_configuration(folder=tmp_path, environ={})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        offset = int(taken.getsockname()[1]) - 30102
        with open_house(configuration, registry, Placement(port_offset=offset), PARTS) as house:
            served = [each.persona.id for each in house.gateway.registry.served]
            (lost,) = house.gateway.registry.unserved
    assert served == ["one"]
    assert (lost.id, "taken" in lost.reason) == ("two", True)


async def test_what_keeps_a_gateway_from_starting_is_raised(tmp_path: Path) -> None:
    drop(tmp_path, one=persona("id='one', port=30101, title='O', prompt='x'"))
    registry = build(tmp_path)
    configuration = read_configuration(folder=tmp_path, environ={})
    data_dir = configuration.settings.data_dir
    (data_dir / "runs.sqlite3").mkdir(parents=True)
    with open_house(configuration, registry, parts=PARTS) as house, pytest.raises(StorageFailed):
        async with house.served():
            pass
