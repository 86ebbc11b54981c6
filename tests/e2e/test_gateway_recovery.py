"""A gateway that is killed in the middle of a stream: what was seen stays true, and the run comes to one end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.gateway_process import GatewayProcess

from agent_gateway.client import read_events
from agent_gateway.events import Event

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

SLOW = '''
import asyncio

import agent_gateway as ag


async def act(state, context):
    """Say the message word by word, slowly."""
    for word in state["message"].split():
        await context.emit(ag.Token(text=f"{word} "))
        await asyncio.sleep(0.02)
    return {"response": f"{state['message']} ", "citations": ()}


@ag.hookimpl
def register_personas():
    return [ag.Persona(id="slow", port=30199, title="Slow", prompt="Slowly.", stages={"act": act})]
'''
WORDS = " ".join(f"word{n}" for n in range(60))
QUESTION = "What is the runbook for certificate renewal?"


@pytest.fixture
def clone(clone: Path) -> Path:
    """With a persona that takes its time."""
    (clone / "plugins" / "slow.py").write_text(SLOW)
    return clone


def http(gateway: GatewayProcess, persona: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=gateway.addresses[persona], timeout=30, trust_env=False)


async def ask(gateway: GatewayProcess, persona: str, message: str, conversation: str = "") -> dict[str, Any]:
    body = {"message": message, **({"conversation_id": conversation} if conversation else {})}
    async with http(gateway, persona) as client:
        response = await client.post("/v1/chat", json=body)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def events_of(response: httpx.Response) -> AsyncIterator[Event]:
    """The events of a stream, for as long as it goes."""
    with suppress(httpx.TransportError):
        async for event in read_events(response.aiter_lines()):
            yield event


async def see(gateway: GatewayProcess, enough: asyncio.Barrier, tokens: int) -> tuple[str, list[Event]]:
    """Start a turn, and take what comes; says so when so many tokens were seen."""
    seen: list[Event] = []
    async with http(gateway, "slow") as client:
        request = {"message": WORDS, "stream": True}
        async with client.stream("POST", "/v1/chat", json=request) as response:
            run_id = response.headers["x-run-id"]
            async for event in events_of(response):
                seen.append(event)
                if sum(each.type == "token" for each in seen) == tokens:
                    await enough.wait()
    return run_id, seen


async def follow(gateway: GatewayProcess, run_id: str, after: int) -> list[Event]:
    """Reconnect, as a browser does."""
    async with http(gateway, "slow") as client:
        path, headers = f"/v1/runs/{run_id}/events", {"last-event-id": str(after)}
        async with client.stream("GET", path, headers=headers) as response:
            assert response.status_code == 200
            return [event async for event in events_of(response)]


def text_of(events: list[Event]) -> str:
    """The text that a client keeps: a rerun discards what came after an event."""
    kept: list[Event] = []
    for event in events:
        if event.type == "run_resumed":
            discard_after = msgspec.json.decode(event.data)["discard_after"]
            kept = [each for each in kept if each.seq <= discard_after]
        kept.append(event)
    return "".join(msgspec.json.decode(event.data)["text"] for event in kept if event.type == "token")


async def test_a_killed_gateway_takes_up_its_streams_without_gap_or_duplicate(gateway: GatewayProcess) -> None:
    await asyncio.to_thread(gateway.start)
    answered = await ask(gateway, "auditor", QUESTION)
    enough = asyncio.Barrier(4)
    streams = [asyncio.create_task(see(gateway, enough, tokens)) for tokens in (3, 6, 10)]
    async with asyncio.timeout(60):
        await enough.wait()
    await asyncio.to_thread(gateway.kill)
    cut = await asyncio.gather(*streams)
    for _, seen in cut:
        assert not any(event.terminal for event in seen)

    await asyncio.to_thread(gateway.start)
    async with asyncio.timeout(60):
        rests = await asyncio.gather(*(follow(gateway, run_id, seen[-1].seq) for run_id, seen in cut))
    for (run_id, seen), rest in zip(cut, rests, strict=True):
        events = [*seen, *rest]
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert [event.type for event in events if event.terminal] == ["done"]
        assert events[-1].type == "done"
        assert [event.type for event in events].count("run_started") == 1
        assert [event.type for event in events].count("run_resumed") == 1
        assert text_of(events) == f"{WORDS} "
        answer = msgspec.json.decode(events[-1].data)
        assert (answer["run_id"], answer["response"], answer["status"]) == (run_id, f"{WORDS} ", "completed")
        # Whoever was away the whole time sees the same events.
        assert await follow(gateway, run_id, 0) == events
        async with http(gateway, "slow") as client:
            run = (await client.get(f"/v1/runs/{run_id}")).json()
        assert (run["status"], run["attempts"]) == ("completed", 2)

    async with http(gateway, "auditor") as client:
        kept = (await client.get(f"/v1/runs/{answered['run_id']}")).json()
        conversation = (await client.get(f"/v1/conversations/{answered['conversation_id']}")).json()
    assert kept["answer"] == answered
    assert [turn["answer"]["response"] for turn in conversation["turns"]] == [answered["response"]]
    again = await ask(gateway, "auditor", "and how long does that take?", answered["conversation_id"])
    assert again["status"] == "completed"
    assert gateway.stop() == 0


async def test_a_gateway_that_is_asked_to_end_says_so_and_goes_on_later(gateway: GatewayProcess, clone: Path) -> None:
    (clone / "agent-gateway.yaml").write_text("server: {grace_seconds: 1}\n")
    await asyncio.to_thread(gateway.start)
    enough = asyncio.Barrier(2)
    long = "patience " * 150
    said: list[str] = []

    async def watch() -> str:
        request = {"message": long, "stream": True}
        async with http(gateway, "slow") as client, client.stream("POST", "/v1/chat", json=request) as response:
            run_id = str(response.headers["x-run-id"])
            lines = [line async for line in keep(response)]
        said.extend(line for line in lines if line.startswith("event: "))
        return run_id

    async def keep(response: httpx.Response) -> AsyncIterator[str]:
        tokens = 0
        with suppress(httpx.TransportError):
            async for line in response.aiter_lines():
                yield line
                tokens += line == "event: token"
                if line == "event: token" and tokens == 5:
                    await enough.wait()

    watching = asyncio.create_task(watch())
    async with asyncio.timeout(60):
        await enough.wait()
    assert await asyncio.to_thread(gateway.stop) == 0
    run_id = await watching
    assert said[-1] == "event: shutting_down"
    assert not {"event: done", "event: error"} & set(said)

    await asyncio.to_thread(gateway.start)
    async with asyncio.timeout(60):
        seen = await follow(gateway, run_id, 0)
    assert [event.seq for event in seen] == list(range(1, len(seen) + 1))
    assert [event.type for event in seen if event.terminal] == ["done"]
    assert text_of(seen) == long
