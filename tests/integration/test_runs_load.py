"""Memory and streams at the size the product promises."""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc
from pathlib import Path

import msgspec

from agent_gateway.events import Token
from agent_gateway.interfaces import Emit, Interaction, TurnRequest
from agent_gateway.messages import Answer, Exchange, Run
from agent_gateway.runs import SqliteRuns

STREAMS = 500


class Streaming:
    """Emits the time, `tokens` times, `pause` seconds apart."""

    def __init__(self, tokens: int, pause: float) -> None:
        self.tokens, self.pause = tokens, pause

    async def run(self, run: Run, history: tuple[Exchange, ...], emit: Emit) -> Answer:
        for _ in range(self.tokens):
            await emit(Token(text=f"{time.monotonic()} "))
            await asyncio.sleep(self.pause)
        return Answer(
            response="word " * 100,
            model="extractive",
            context_used=0,
            latency_ms=1.0,
            conversation_id=run.conversation_id,
            run_id=run.id,
            status="completed",
        )

    async def resume(self, run: Run, history: tuple[Exchange, ...], emit: Emit, checkpoint: bytes) -> Answer:
        raise AssertionError("nothing is stored to go on from")


def request(message: str) -> TurnRequest:
    return TurnRequest(persona="bruno", owner="local", message=message)


async def test_memory_does_not_grow_with_finished_runs(tmp_path: Path) -> None:
    runs = await SqliteRuns.open(tmp_path / "runs.db", {"bruno": Streaming(3, 0)})

    async def sink(remember: object, forget: object) -> None:
        """Take everything."""

    draining = asyncio.create_task(runs.drain_into(sink))

    async def answer(turns: int) -> int:
        for _ in range(turns // 10):
            started = [await runs.start(request("hello " * 20)) for _ in range(10)]
            for run in started:
                await runs.result(run.id)
                runs.remember(
                    Interaction(
                        run_id=run.id,
                        conversation_id=run.conversation_id,
                        persona=run.persona,
                        owner=run.owner,
                        query=run.message,
                        response="",
                        category="query",
                        sources=(),
                        at=run.created_at,
                    )
                )
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    await answer(200)
    tracemalloc.start()
    await answer(300)
    before = await answer(10)
    grown = await answer(1_000) - before
    tracemalloc.stop()
    await runs.close()
    await draining
    assert grown < 100_000


async def test_five_hundred_live_streams_get_every_event_in_time(tmp_path: Path) -> None:
    runs = await SqliteRuns.open(tmp_path / "runs.db", {"bruno": Streaming(20, 0.05)})
    delays: list[float] = []

    async def follow(run_id: str) -> int:
        last = 0
        async for event in runs.follow(run_id):
            now = time.monotonic()
            assert event.seq == last + 1
            last = event.seq
            if event.type == "token":
                words = msgspec.json.decode(event.data, type=Token).text.split()
                delays.extend(now - float(word) for word in words)
        return last

    started = [await runs.start(request(str(number))) for number in range(STREAMS)]
    await asyncio.gather(*(follow(run.id) for run in started))
    await runs.close()
    assert len(delays) == STREAMS * 20
    delays.sort()
    # The promise is 100 ms on a quiet machine; this margin is for a busy one.
    assert delays[int(len(delays) * 0.99)] < 0.5
