from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.live_edge import LiveEdge, live_edge
from tests.memory_gateway import MemoryGateway
from tests.memory_runs import MemoryRuns, echo

from agent_gateway.interfaces import Emit
from agent_gateway.messages import Run


async def hold(run: Run, emit: Emit) -> str:
    """Echo, except that the message `hold` has no end."""
    if run.message == "hold" and run.attempts == 1:
        await asyncio.Event().wait()
    return await echo(run, emit)


@pytest.fixture
async def live() -> AsyncIterator[LiveEdge]:
    async with live_edge(MemoryGateway(MemoryRuns(hold))) as made:
        yield made
        await made.gateway.runs.interrupt()


@pytest.fixture
async def client(live: LiveEdge) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=live.url("bruno"), timeout=20) as made:
        yield made


async def begin(client: httpx.AsyncClient, message: str) -> str:
    """Start a turn, and hang up."""
    async with client.stream("POST", "/v1/chat", json={"message": message, "stream": True}) as response:
        return str(response.headers["x-run-id"])


async def test_events_are_replayed_byte_for_byte(client: httpx.AsyncClient) -> None:
    streamed = await client.post("/v1/chat", json={"message": "a b c", "stream": True})
    replayed = await client.get(f"/v1/runs/{streamed.headers['x-run-id']}/events")
    assert replayed.content == streamed.content


async def test_a_stream_goes_on_after_the_last_event_seen(client: httpx.AsyncClient) -> None:
    streamed = await client.post("/v1/chat", json={"message": "a b c", "stream": True})
    blocks = streamed.text.split("\n\n")
    path = f"/v1/runs/{streamed.headers['x-run-id']}/events"
    for seen in range(len(blocks)):
        rest = await client.get(path, headers={"last-event-id": str(seen)})
        assert rest.text.split("\n\n") == blocks[seen:]


async def test_a_running_turn_is_cancelled_once(client: httpx.AsyncClient) -> None:
    run_id = await begin(client, "hold")
    cancelled = await client.post(f"/v1/runs/{run_id}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (202, "cancelled")
    assert cancelled.headers["location"] == f"/v1/runs/{run_id}"
    again = await client.post(f"/v1/runs/{run_id}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "run_ended")


async def test_an_interrupted_turn_is_resumed_under_its_id(live: LiveEdge, client: httpx.AsyncClient) -> None:
    run_id = await begin(client, "hold")
    refused = await client.post(f"/v1/runs/{run_id}/resume")
    assert (refused.status_code, refused.json()["code"]) == (409, "run_not_interrupted")
    await live.gateway.runs.interrupt()
    resumed = await client.post(f"/v1/runs/{run_id}/resume")
    assert (resumed.status_code, resumed.json()["id"]) == (202, run_id)
    events = (await client.get(f"/v1/runs/{run_id}/events")).text
    assert events.count("event: done") == 1


async def test_conversations_are_listed_newest_first_and_in_pages(client: httpx.AsyncClient) -> None:
    names = [
        (await client.post("/v1/chat", json={"message": f"m{number}"})).json()["conversation_id"] for number in range(5)
    ]
    found: list[str] = []
    before = ""
    for _ in range(3):
        page = (await client.get(f"/v1/conversations?limit=2{before}")).json()
        found += [conversation["id"] for conversation in page["conversations"]]
        before = f"&before={page['next_before']}"
    assert found == names[::-1]
    assert page["next_before"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit=1.5", "before=yesterday", "before=%00"])
async def test_a_page_that_makes_no_sense_is_refused(client: httpx.AsyncClient, query: str) -> None:
    response = await client.get(f"/v1/conversations?{query}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_input")


async def test_a_forgotten_conversation_is_gone_with_its_runs(client: httpx.AsyncClient) -> None:
    answer = (await client.post("/v1/chat", json={"message": "a"})).json()
    path = f"/v1/conversations/{answer['conversation_id']}"
    gone = await client.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await client.delete(path)).status_code == 404
    assert (await client.get(f"/v1/runs/{answer['run_id']}")).status_code == 404
