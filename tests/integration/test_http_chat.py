from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
from tests.live_edge import LiveEdge, live_edge
from tests.memory_gateway import TOKEN, MemoryGateway
from tests.memory_runs import MemoryRuns

from agent_gateway.api.edge import EdgeSettings
from agent_gateway.events import Token
from agent_gateway.interfaces import Emit
from agent_gateway.messages import Answer, Run


class Gate:
    """An agent that says a word, waits until it is let go, and says another; one that is told to fails."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self.finished = asyncio.Event()

    async def __call__(self, run: Run, emit: Emit) -> str:
        if run.message == "fail":
            raise ValueError("the stage failed")
        await emit(Token(text="one "))
        self.reached.set()
        await self.open.wait()
        await emit(Token(text="two"))
        self.finished.set()
        return "one two"


@pytest.fixture
async def gate() -> Gate:
    return Gate()


@pytest.fixture
async def live(gate: Gate) -> AsyncIterator[LiveEdge]:
    settings = EdgeSettings(keepalive_seconds=0.1, control_token=TOKEN)
    async with live_edge(MemoryGateway(MemoryRuns(gate)), settings) as made:
        yield made


@pytest.fixture
async def client(live: LiveEdge) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=live.url("bruno"), timeout=20) as made:
        yield made


async def test_a_message_is_answered_as_json(client: httpx.AsyncClient, gate: Gate) -> None:
    gate.open.set()
    response = await client.post("/v1/chat", json={"message": "hello"})
    answer = msgspec.json.decode(response.content, type=Answer)
    assert (response.status_code, answer.response, answer.status) == (200, "one two", "completed")
    assert response.headers["x-run-id"] == answer.run_id
    run = await client.get(response.headers["location"])
    assert run.json()["answer"] == response.json()


async def test_a_failed_turn_is_an_answer_too(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/chat", json={"message": "fail"})
    assert (response.status_code, response.json()["status"]) == (200, "failed")
    assert response.json()["error"]["code"] == "stage_failed"


@pytest.mark.parametrize(
    ("stream", "accept"), [(True, "*/*"), (False, "text/event-stream"), (True, "application/json")]
)
async def test_the_events_are_streamed_when_asked_for(
    client: httpx.AsyncClient, gate: Gate, stream: bool, accept: str
) -> None:
    gate.open.set()
    response = await client.post("/v1/chat", json={"message": "hello", "stream": stream}, headers={"accept": accept})
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    blocks = [dict(line.split(": ", 1) for line in block.splitlines()) for block in response.text.split("\n\n")[:-1]]
    assert [block["event"] for block in blocks] == ["run_started", "token", "token", "done"]
    assert [block["id"] for block in blocks] == ["1", "2", "3", "4"]
    assert msgspec.json.decode(blocks[-1]["data"], type=Answer).response == "one two"


async def test_events_arrive_when_they_happen_and_silence_is_filled(client: httpx.AsyncClient, gate: Gate) -> None:
    async with client.stream("POST", "/v1/chat", json={"message": "hello", "stream": True}) as response:
        lines = response.aiter_lines()
        seen = [await anext(lines) for _ in range(8)]
        assert "event: token" in seen
        assert seen[-2:] == [": keep-alive", ""] or ": keep-alive" in [await anext(lines) for _ in range(3)]
        gate.open.set()
        rest = [line async for line in lines]
    assert "event: done" in rest


async def test_a_caller_that_hangs_up_ends_its_following_and_not_the_run(
    live: LiveEdge, client: httpx.AsyncClient, gate: Gate
) -> None:
    runs = live.gateway.runs
    async with client.stream("POST", "/v1/chat", json={"message": "hello", "stream": True}) as response:
        run_id = response.headers["x-run-id"]
        await gate.reached.wait()
        assert runs.followers == 1
    async with asyncio.timeout(5):
        await runs.followers_gone.wait()
    gate.open.set()
    await gate.finished.wait()
    answer = (await client.get(f"/v1/runs/{run_id}/events")).text
    assert "one two" in answer


async def test_a_conversation_goes_on(client: httpx.AsyncClient, gate: Gate) -> None:
    gate.open.set()
    first = (await client.post("/v1/chat", json={"message": "a"})).json()["conversation_id"]
    second = await client.post("/v1/chat", json={"message": "b", "conversation_id": first})
    assert second.json()["conversation_id"] == first
    conversation = (await client.get(f"/v1/conversations/{first}")).json()
    assert [turn["message"] for turn in conversation["turns"]] == ["a", "b"]


async def test_another_personas_conversation_does_not_exist(
    live: LiveEdge, client: httpx.AsyncClient, gate: Gate
) -> None:
    gate.open.set()
    mine = (await client.post("/v1/chat", json={"message": "a"})).json()
    there = f"{live.url('mary-kay')}/v1"
    name, run = mine["conversation_id"], mine["run_id"]
    responses = [
        await client.post(f"{there}/chat", json={"message": "b", "conversation_id": name}),
        await client.get(f"{there}/conversations/{name}"),
        await client.delete(f"{there}/conversations/{name}"),
        await client.get(f"{there}/runs/{run}"),
        await client.get(f"{there}/runs/{run}/events"),
        await client.post(f"{there}/runs/{run}/cancel"),
    ]
    assert [response.status_code for response in responses] == [404] * 6
    assert {response.json()["code"] for response in responses} == {"conversation_not_found", "run_not_found"}
    assert (await client.get(f"{there}/conversations")).json()["conversations"] == []
    assert (await client.get(f"/v1/conversations/{name}")).status_code == 200


async def test_a_drain_tells_streams_and_waiting_callers_how_to_go_on(gate: Gate) -> None:
    async with (
        live_edge(MemoryGateway(MemoryRuns(gate))) as live,
        httpx.AsyncClient(base_url=live.url("bruno"), timeout=20) as client,
    ):
        waiting = asyncio.create_task(client.post("/v1/chat", json={"message": "hello"}))
        await gate.reached.wait()
        async with client.stream("POST", "/v1/chat", json={"message": "hello", "stream": True}) as response:
            run_id = response.headers["x-run-id"]
            live.shutdown.request()
            lines = [line async for line in response.aiter_lines()]
        farewell = lines.index("event: shutting_down")
        assert msgspec.json.decode(lines[farewell + 1].removeprefix("data: "))["run_id"] == run_id
        assert not lines[farewell - 1].startswith("id:")
        refused = await client.post("/v1/chat", json={"message": "new"})
        assert (refused.status_code, refused.json()["code"]) == (503, "shutting_down")
        assert (await client.get(f"/v1/runs/{run_id}")).json()["status"] == "running"
        await live.gateway.runs.interrupt()
        told = await waiting
        assert told.status_code == 503
        assert told.headers["x-run-id"] in told.json()["hint"]
        assert int(told.headers["retry-after"]) > 0
