"""An agent that does what the test says, and a run database in a temporary folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import pytest

from agent_gateway.events import Event, StageFinished, StageStarted, Token
from agent_gateway.interfaces import Emit, TurnRequest
from agent_gateway.messages import Answer, Exchange, Run
from agent_gateway.runs import RunOptions, SqliteRuns

Script: TypeAlias = Callable[[Run, Emit], Awaitable[str | Answer]]
GoOn: TypeAlias = Callable[[Run, Emit, bytes], Awaitable[str | Answer]]


async def echo(run: Run, emit: Emit) -> str:
    """Answer a message with itself, word by word."""
    await emit(StageStarted(stage="act"))
    for word in run.message.split():
        await emit(Token(text=f"{word} "))
    await emit(StageFinished(stage="act", ms=0.1))
    return run.message


async def tell_checkpoint(run: Run, emit: Emit, checkpoint: bytes) -> str:
    """Answer with the state that the turn goes on from."""
    await emit(Token(text=checkpoint.decode()))
    return checkpoint.decode()


@dataclass
class ScriptedAgent:
    """Runs `script` for every turn, and keeps what it was given; `go_on` for one that goes on in the middle."""

    script: Script = echo
    go_on: GoOn = tell_checkpoint
    turns: list[tuple[Run, tuple[Exchange, ...]]] = field(default_factory=list)

    async def run(self, run: Run, history: tuple[Exchange, ...], emit: Emit) -> Answer:
        self.turns.append((run, history))
        return answer_of(run, await self.script(run, emit))

    async def resume(self, run: Run, history: tuple[Exchange, ...], emit: Emit, checkpoint: bytes) -> Answer:
        self.turns.append((run, history))
        return answer_of(run, await self.go_on(run, emit, checkpoint))


def answer_of(run: Run, response: str | Answer) -> Answer:
    """A completed answer with a text."""
    if isinstance(response, Answer):
        return response
    return Answer(
        response=response,
        model="extractive",
        context_used=0,
        latency_ms=1.0,
        conversation_id=run.conversation_id,
        run_id=run.id,
        status="completed",
    )


@dataclass
class Desk:
    """The runs under test, with shorthands for one owner of one persona."""

    path: Path
    agent: ScriptedAgent = field(default_factory=ScriptedAgent)
    options: RunOptions = field(default_factory=lambda: RunOptions(outbox_delay_seconds=0))
    finished: list[Run] = field(default_factory=list)
    opened: list[SqliteRuns] = field(default_factory=list)

    @property
    def runs(self) -> SqliteRuns:
        return self.opened[-1]

    async def open(self) -> SqliteRuns:
        agents = {"bruno": self.agent, "auditor": self.agent}
        self.opened.append(await SqliteRuns.open(self.path, agents, self.options, self.finished.append))
        return self.runs

    async def reopen(self) -> SqliteRuns:
        await self.runs.close()
        return await self.open()

    async def start(self, message: str, conversation_id: str | None = None) -> Run:
        request = TurnRequest(persona="bruno", owner="local", message=message, conversation_id=conversation_id)
        return await self.runs.start(request)

    async def ask(self, message: str, conversation_id: str | None = None) -> Answer:
        run = await self.start(message, conversation_id)
        return await self.runs.result(run.id)

    async def events(self, run_id: str, after: int = 0) -> list[Event]:
        return [event async for event in self.runs.follow(run_id, after)]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path / "runs.db")
    await desk.open()
    async with asyncio.timeout(60):
        yield desk
    await desk.runs.close()
