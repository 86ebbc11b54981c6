"""What becomes of a turn whose caller goes away: over real sockets, with real runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest
from tests.turn_house import persona_http

import agent_gateway as ag
from agent_gateway.messages import Run
from agent_gateway.testing import GatewayClient, gateway_for

#: A caller's going away ends its turn within this time.
SECONDS = 1.0
ENDED = frozenset({"completed", "failed", "cancelled"})


class Slow:
    """An act stage that says a word, waits to be let go, and says another."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self.run_id = ""

    async def act(self, state: ag.TurnState, context: ag.Context) -> ag.TurnState:
        del state
        await context.emit(ag.Token(text="one "))
        self.run_id = context.run_id
        self.reached.set()
        await self.open.wait()
        await context.emit(ag.Token(text="two"))
        return {"response": "one two"}


class House:
    """A gateway whose persona `hasty` gives up with its caller, while `patient` does not."""

    def __init__(self, gateway: GatewayClient, slow: Slow) -> None:
        self.gateway = gateway
        self.slow = slow

    async def leave(self, persona: str, *, stream: bool, follower: bool = False) -> str:
        """Ask, hang up once the turn is under way, and return its run's id; `follower` follows meanwhile."""
        async with persona_http(self.gateway, persona) as http:
            asking = asyncio.create_task(http.post("/v1/chat", json={"message": "Hello?", "stream": stream}))
            await self.slow.reached.wait()
            run_id = self.slow.run_id
            if follower:
                follows = asyncio.Event()
                self.following = asyncio.create_task(self._follow(persona, run_id, follows))
                await follows.wait()
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        return run_id

    async def end(self, persona: str, run_id: str) -> Run:
        """The run once it has ended; `TimeoutError` when that takes too long."""
        async with asyncio.timeout(SECONDS), persona_http(self.gateway, persona) as http:
            while (run := await self._run(http, run_id)).status not in ENDED:  # noqa: ASYNC110 - seen from outside
                await asyncio.sleep(0.01)
        return run

    async def status(self, persona: str, run_id: str) -> str:
        """Where the run stands."""
        async with persona_http(self.gateway, persona) as http:
            return (await self._run(http, run_id)).status

    async def _follow(self, persona: str, run_id: str, follows: asyncio.Event) -> str:
        async with (
            persona_http(self.gateway, persona) as http,
            http.stream("GET", f"/v1/runs/{run_id}/events") as response,
        ):
            text = ""
            async for line in response.aiter_lines():
                follows.set()
                text += f"{line}\n"
            return text

    @staticmethod
    async def _run(http: httpx.AsyncClient, run_id: str) -> Run:
        return msgspec.json.decode((await http.get(f"/v1/runs/{run_id}")).content, type=Run)


@asynccontextmanager
async def opened() -> AsyncIterator[House]:
    slow = Slow()
    hasty, patient = (
        ag.Persona(
            id=name, title=name, prompt="x", port=port, stages={"act": slow.act}, cancel_on_disconnect=name == "hasty"
        )
        for port, name in enumerate(("hasty", "patient"), start=1)
    )
    async with gateway_for(hasty, patient) as gateway:
        yield House(gateway, slow)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "json"])
async def test_a_turn_ends_with_its_caller_when_the_persona_says_so(stream: bool) -> None:
    async with opened() as house:
        run = await house.end("hasty", await house.leave("hasty", stream=stream))
    assert run.status == "cancelled"
    assert run.answer is not None
    assert run.answer.response == "one "
    # What was known by then is kept.
    assert run.answer.route is not None
    assert run.answer.route.tier == "extractive"


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "json"])
async def test_otherwise_it_goes_on_and_is_kept(stream: bool) -> None:
    async with opened() as house:
        run_id = await house.leave("patient", stream=stream)
        await asyncio.sleep(SECONDS / 2)
        assert await house.status("patient", run_id) == "running"
        house.slow.open.set()
        run = await house.end("patient", run_id)
    assert run.status == "completed"
    assert run.answer is not None
    assert run.answer.response == "one two"


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "json"])
async def test_a_turn_that_somebody_else_follows_goes_on(stream: bool) -> None:
    async with opened() as house:
        run_id = await house.leave("hasty", stream=stream, follower=True)
        await asyncio.sleep(SECONDS / 2)
        assert await house.status("hasty", run_id) == "running"
        house.slow.open.set()
        text = await house.following
    assert "one two" in text
    assert "event: done" in text


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "json"])
async def test_a_turn_ends_with_its_last_follower(stream: bool) -> None:
    async with opened() as house:
        run_id = await house.leave("hasty", stream=stream, follower=True)
        await asyncio.sleep(SECONDS / 2)
        assert await house.status("hasty", run_id) == "running"
        house.following.cancel()
        run = await house.end("hasty", run_id)
    assert run.status == "cancelled"


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "json"])
async def test_a_follower_of_a_patient_turn_that_leaves_ends_nothing(stream: bool) -> None:
    async with opened() as house:
        run_id = await house.leave("patient", stream=stream, follower=True)
        house.following.cancel()
        await asyncio.gather(house.following, return_exceptions=True)
        await asyncio.sleep(SECONDS / 2)
        assert await house.status("patient", run_id) == "running"
        house.slow.open.set()
        assert (await house.end("patient", run_id)).status == "completed"


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "json"])
async def test_a_follower_that_leaves_ends_nothing_while_the_caller_is_there(stream: bool) -> None:
    async with opened() as house, persona_http(house.gateway, "hasty") as http:
        asking = asyncio.create_task(http.post("/v1/chat", json={"message": "Hello?", "stream": stream}))
        await house.slow.reached.wait()
        run_id = house.slow.run_id
        follows = asyncio.Event()
        following = asyncio.create_task(house._follow("hasty", run_id, follows))
        await follows.wait()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await asyncio.sleep(SECONDS / 2)
        house.slow.open.set()
        assert '"status":"completed"' in (await asking).text


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "json"])
async def test_a_drain_is_no_leaving(stream: bool) -> None:
    ended: list[Run] = []

    class Observer:
        @ag.hookimpl
        def on_run_finished(self, run: Run) -> None:
            ended.append(run)

    slow = Slow()
    hasty = ag.Persona(
        id="hasty", title="Hasty", prompt="x", port=1, stages={"act": slow.act}, cancel_on_disconnect=True
    )
    async with gateway_for(hasty, plugins=[Observer()], settings={"server": {"grace_seconds": 1}}) as gateway:
        asking = asyncio.create_task(ask(gateway.url("hasty"), stream=stream))
        await slow.reached.wait()
    assert "shutting_down" in (await asking).text
    # It is interrupted, to be taken up again, which is no end.
    assert ended == []


async def ask(url: str, *, stream: bool) -> httpx.Response:
    async with httpx.AsyncClient(base_url=url, timeout=20, trust_env=False) as http:
        return await http.post("/v1/chat", json={"message": "Hello?", "stream": stream})
