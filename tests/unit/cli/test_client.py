from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from tests.live_edge import LiveEdge, live_edge
from tests.memory_gateway import TOKEN, MemoryGateway

from agent_gateway.cli.control import ControlClient
from agent_gateway.client import PersonaClient, read_events, wait_until_ready
from agent_gateway.errors import GatewayError, Unavailable
from agent_gateway.interfaces import IngestProgress
from agent_gateway.server import PortRequest, bind

SSE = """\
: keep-alive

id: 1
event: run_started
data: {"run_id":"r"}

event: shutting_down
data: {}

id: 2
event: token
data: {"text":"a: b"}

"""


@pytest.fixture
async def live() -> AsyncIterator[LiveEdge]:
    async with live_edge() as made:
        yield made


@pytest.fixture
async def control(live: LiveEdge) -> AsyncIterator[ControlClient]:
    async with ControlClient(live.url("control"), TOKEN) as client:
        yield client


def nobody() -> str:
    """An address at which nobody listens."""
    bound = bind("127.0.0.1", [PortRequest(name="x", port=0)])
    url = bound.listeners[0].url
    bound.close()
    return url


async def lines(text: str) -> AsyncIterator[str]:
    for line in text.splitlines():
        yield line


async def test_events_are_read_without_what_belongs_to_the_connection() -> None:
    found = [event async for event in read_events(lines(SSE))]
    assert [(event.seq, event.type, event.data) for event in found] == [
        (1, "run_started", b'{"run_id":"r"}'),
        (2, "token", b'{"text":"a: b"}'),
    ]


@pytest.mark.parametrize("path", ["", "/personas/bruno"])
async def test_a_persona_is_asked_on_its_port_and_below_the_gateways(live: LiveEdge, path: str) -> None:
    async with PersonaClient(live.url("gateway" if path else "bruno") + path) as client:
        first = await client.ask("hello there")
        second = await client.ask("and again", first.conversation_id)
    assert first.response == "hello there"
    assert second.conversation_id == first.conversation_id


async def test_a_stream_ends_with_the_answer(live: LiveEdge) -> None:
    async with PersonaClient(live.url("bruno")) as client:
        types = [event.type async for event in client.stream("one two")]
    assert types == ["run_started", "token", "token", "done"]


async def test_a_refusal_keeps_its_code_and_hint(live: LiveEdge) -> None:
    async with PersonaClient(live.url("bruno")) as client:
        with pytest.raises(GatewayError) as refused:
            await client.ask("hello", "conv_" + 32 * "0")
        with pytest.raises(GatewayError) as empty:
            async for _ in client.stream(" "):
                pass
    assert refused.value.code == "conversation_not_found"
    assert empty.value.code == "invalid_input"


async def test_nobody_there_is_unreachable() -> None:
    url = nobody()
    async with PersonaClient(url) as client, ControlClient(url, "") as control:
        with pytest.raises(Unavailable, match="no gateway answers") as asked:
            await client.ask("hello")
        with pytest.raises(Unavailable, match="no gateway answers"):
            async for _ in client.stream("hello"):
                pass
        with pytest.raises(Unavailable, match="no gateway answers"):
            await control.collections()
        with pytest.raises(Unavailable, match="no gateway answers"):
            async for _ in control.ingest("x", "y"):
                pass
        with pytest.raises(Unavailable, match="no gateway answers"):
            await wait_until_ready(url, lambda parts: None)
    assert asked.value.code == "gateway_unreachable"


async def test_waiting_tells_the_parts_until_they_are_ready() -> None:
    gateway = MemoryGateway()
    told: list[dict[str, str]] = []

    def become_ready(parts: Mapping[str, str]) -> None:
        told.append(dict(parts))
        gateway.readiness.set(True)

    async with live_edge(gateway) as live:
        gateway.readiness.set(False)
        await wait_until_ready(live.url("control"), become_ready)
    assert told == [{"knowledge": "starting"}]


async def test_a_part_that_failed_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = MemoryGateway()
    async with live_edge(gateway) as live:
        gateway.readiness.set(False)
        monkeypatch.setattr(gateway.readiness, "parts", lambda: {"runs": "failed: the disk is full"})
        with pytest.raises(Unavailable, match="runs failed: the disk is full"):
            await wait_until_ready(live.url("control"), lambda parts: None)


async def test_the_control_socket_lists_searches_and_drops(control: ControlClient) -> None:
    names = [info.name for info in await control.collections()]
    found = await control.search("a refund", "customer-docs", 3)
    await control.drop("customer-docs")
    assert names == ["homelab-docs", "customer-docs"]
    assert [hit.source for hit in found.passages] == ["refunds.md"]
    assert [info.name for info in await control.collections()] == ["homelab-docs"]


async def test_the_control_socket_lists_the_personas(control: ControlClient) -> None:
    statuses = {each.id: each.status for each in (await control.personas()).personas}
    assert statuses == {
        "bruno": "ready",
        "mary-kay": "ready",
        "broken": "disabled: the plugin raised at import",
    }


@pytest.mark.parametrize("name", ["nothing", "a/b", "a?b", "../collections"])
async def test_dropping_what_is_not_there_is_not_found(control: ControlClient, name: str) -> None:
    with pytest.raises(GatewayError) as refused:
        await control.drop(name)
    assert refused.value.code in {"collection_not_found", "not_found"}
    assert len(await control.collections()) == 2


async def test_an_ingest_tells_its_progress(control: ControlClient, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.md").write_text(name)
    steps: list[IngestProgress] = [step async for step in control.ingest(str(tmp_path), "new")]
    assert [(step.files, step.finished) for step in steps] == [(1, False), (2, True)]


async def test_an_ingest_that_fails_keeps_its_code(control: ControlClient, tmp_path: Path) -> None:
    with pytest.raises(GatewayError) as failed:
        async for _ in control.ingest(str(tmp_path / "missing"), "new"):
            pass
    assert failed.value.code == "path_not_found"


async def test_an_ingest_without_an_end_is_an_error(control: ControlClient, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="before the ingest was complete"):
        async for _ in control.ingest(str(tmp_path), "new"):  # an empty folder: this gateway tells no progress
            pass


async def test_a_wrong_token_is_refused(live: LiveEdge) -> None:
    async with ControlClient(live.url("control"), "guess") as client:
        with pytest.raises(GatewayError) as refused:
            await client.personas()
    assert refused.value.code == "unauthorized"
