"""Runs and conversations in memory: the whole `Runs` Protocol, for tests of what stands in front of it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeAlias

import msgspec

from agent_gateway.errors import Conflict, NotFound, Unavailable
from agent_gateway.events import Event, EventData, RunStarted, Token, event_type
from agent_gateway.interfaces import Emit, TurnRequest
from agent_gateway.messages import Answer, Conversation, ConversationSummary, Problem, Run, RunStatus, Turn

Speak: TypeAlias = Callable[[Run, Emit], Awaitable[str]]


async def echo(run: Run, emit: Emit) -> str:
    """Answer with the message itself, a word at a time."""
    for word in run.message.split():
        await emit(Token(text=f"{word} "))
        await asyncio.sleep(0)
    return run.message


class MemoryRun:
    """One run: what is known of it, its events, and a condition that is notified when either grows."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.events: list[Event] = []
        self.changed = asyncio.Condition()
        self.task: asyncio.Task[None] | None = None

    async def emit(self, data: EventData) -> None:
        """Add an event."""
        async with self.changed:
            self.events.append(Event(len(self.events) + 1, event_type(data), msgspec.json.encode(data)))
            self.changed.notify_all()

    async def set(self, status: RunStatus, answer: Answer | None = None, finished_at: str | None = None) -> None:
        """Change what is known."""
        async with self.changed:
            self.run = msgspec.structs.replace(self.run, status=status, answer=answer, finished_at=finished_at)
            self.changed.notify_all()


class MemoryRuns:
    """`speak` is the agent. `followers`: how many follow now; `followers_gone`: set when the last one goes."""

    def __init__(self, speak: Speak = echo) -> None:
        self.speak = speak
        self.followers = 0
        self.followers_gone = asyncio.Event()
        self._runs: dict[str, MemoryRun] = {}
        self._conversations: dict[str, Conversation] = {}
        self._numbers = itertools.count(1)
        self._closed = False

    async def start(self, request: TurnRequest) -> Run:
        conversation = self._open(request)
        number = next(self._numbers)
        run = Run(
            id=f"run_{number:032x}",
            conversation_id=conversation.id,
            persona=request.persona,
            owner=request.owner,
            message=request.message,
            status="running",
            attempts=1,
            created_at=self._now(),
        )
        state = self._runs[run.id] = MemoryRun(run)
        turn = Turn(run_id=run.id, message=run.message, status="running", created_at=run.created_at)
        self._conversations[conversation.id] = msgspec.structs.replace(
            conversation, turns=(*conversation.turns, turn), updated_at=run.created_at
        )
        await state.emit(RunStarted(run_id=run.id, conversation_id=conversation.id, persona=run.persona))
        state.task = asyncio.create_task(self._execute(state))
        return run

    async def get(self, run_id: str, persona: str, owner: str) -> Run:
        return self._state(run_id, persona, owner).run

    async def result(self, run_id: str) -> Answer:
        state = self._runs[run_id]
        async with state.changed:
            await state.changed.wait_for(lambda: state.run.status != "running")
        if state.run.answer is None:
            raise Unavailable("The run was cut before it ended.", code="run_interrupted", hint="it can be resumed")
        return state.run.answer

    async def follow(self, run_id: str, after: int = 0) -> AsyncIterator[Event]:
        state = self._runs[run_id]
        self.followers += 1
        try:
            while True:
                for event in state.events[after:]:
                    after = event.seq
                    yield event
                    if event.terminal:
                        return
                if state.run.status == "interrupted" or (state.events and state.events[-1].terminal):
                    return
                await self._wait(state, after)
        finally:
            self.followers -= 1
            if self.followers == 0:
                self.followers_gone.set()

    async def cancel(self, run_id: str, persona: str, owner: str) -> Run:
        state = self._state(run_id, persona, owner)
        if state.run.status != "running" or state.task is None:
            raise Conflict("The run has ended.", code="run_ended")
        state.task.cancel()
        answer = self._answer(state.run, "", "cancelled")
        await state.emit(answer)
        await state.set("cancelled", answer, self._now())
        return state.run

    async def resume(self, run_id: str, persona: str, owner: str) -> Run:
        state = self._state(run_id, persona, owner)
        if state.run.status != "interrupted":
            raise Conflict("The run is not interrupted.", code="run_not_interrupted")
        state.run = msgspec.structs.replace(state.run, attempts=state.run.attempts + 1)
        await state.set("running")
        state.task = asyncio.create_task(self._execute(state))
        return state.run

    async def conversations(self, persona: str, owner: str, limit: int, before: str) -> Sequence[ConversationSummary]:
        del owner
        mine = [found for found in self._conversations.values() if found.persona == persona]
        mine.sort(key=lambda found: found.updated_at, reverse=True)
        return [
            ConversationSummary(
                id=found.id,
                title=found.title,
                turns=len(found.turns),
                created_at=found.created_at,
                updated_at=found.updated_at,
            )
            for found in mine
            if not before or found.updated_at < before
        ][:limit]

    async def conversation(self, conversation_id: str, persona: str, owner: str) -> Conversation:
        del owner
        found = self._conversations.get(conversation_id)
        if found is None or found.persona != persona:
            raise NotFound("There is no such conversation.", code="conversation_not_found")
        runs = [self._runs[turn.run_id].run for turn in found.turns]
        turns = [
            msgspec.structs.replace(turn, status=run.status, answer=run.answer)
            for turn, run in zip(found.turns, runs, strict=True)
        ]
        return msgspec.structs.replace(found, turns=tuple(turns))

    async def delete(self, conversation_id: str, persona: str, owner: str) -> None:
        for turn in (await self.conversation(conversation_id, persona, owner)).turns:
            state = self._runs.pop(turn.run_id)
            if state.task is not None:
                state.task.cancel()
        del self._conversations[conversation_id]

    async def drain(self, grace: float) -> None:
        """Let running turns finish within `grace` seconds, then cut the others."""
        tasks = [state.task for state in self._runs.values() if state.task is not None and not state.task.done()]
        if tasks:
            await asyncio.wait(tasks, timeout=grace)
        await self.interrupt()

    async def interrupt(self) -> None:
        """Cut every running turn, as a stop of the process does."""
        for state in self._runs.values():
            if state.run.status == "running" and state.task is not None:
                state.task.cancel()
                await state.set("interrupted")

    async def _execute(self, state: MemoryRun) -> None:
        try:
            text = await self.speak(state.run, state.emit)
        except ValueError as exc:
            problem = Problem(code="stage_failed", detail=str(exc))
            answer = self._answer(state.run, "", "failed", problem)
            await state.emit(problem)
            await state.set("failed", answer, self._now())
            return
        answer = self._answer(state.run, text, "completed")
        await state.emit(answer)
        await state.set("completed", answer, self._now())

    @staticmethod
    async def _wait(state: MemoryRun, seen: int) -> None:
        async with state.changed:
            await state.changed.wait_for(lambda: len(state.events) > seen or state.run.status == "interrupted")

    def _open(self, request: TurnRequest) -> Conversation:
        if request.conversation_id is not None:
            found = self._conversations.get(request.conversation_id)
            if found is None or found.persona != request.persona:
                raise NotFound("There is no such conversation.", code="conversation_not_found")
            return found
        now = self._now()
        name = f"conversation_{next(self._numbers):032x}"
        return Conversation(
            id=name, persona=request.persona, title=request.message[:80], created_at=now, updated_at=now, turns=()
        )

    def _state(self, run_id: str, persona: str, owner: str) -> MemoryRun:
        state = self._runs.get(run_id)
        if state is None or (state.run.persona, state.run.owner) != (persona, owner):
            raise NotFound("There is no such run.", code="run_not_found")
        return state

    @staticmethod
    def _answer(run: Run, text: str, status: RunStatus, error: Problem | None = None) -> Answer:
        assert status in {"completed", "failed", "cancelled"}
        return Answer(
            response=text,
            model="extractive",
            context_used=0,
            latency_ms=1.0,
            conversation_id=run.conversation_id,
            run_id=run.id,
            status=status,
            error=error,
        )

    def _now(self) -> str:
        number = next(self._numbers)
        return f"2026-01-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.000000Z"
