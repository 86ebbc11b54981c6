"""The runs that are going on in this process: their durable events, those waiting for a commit, and who waits."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable

import msgspec

from agent_gateway.bell import Bell
from agent_gateway.events import Event, EventData, event_type
from agent_gateway.messages import Answer, Problem, Run, RunStatus, TurnUsage
from agent_gateway.runs.database import Draining
from agent_gateway.runs.drafts import Draft, encode
from agent_gateway.runs.histories import ConversationState


class LiveRun:
    """One run in this process, from event `last_seq` + 1 to its end.

    `run` is what is durable, `outcome` what the next commit stores. `events` are durable, `writing` are in the commit
    that is going on, `drafts` wait for the next. `sealed`: the last event is appended, nothing more
    is taken. `over`: nothing more will be shown, because that event is durable or the run was interrupted. `unstored`:
    its end could not be made durable so far. `usage` is that of the model calls that wrote its answer, in this process.
    `closure`, for a run that acts, goes into the commit of its end, with the time of that. `answered` are the approvals
    that it was waiting for last.
    """

    def __init__(
        self, run: Run, number: int, conversation: ConversationState, *, request_id: str = "", last_seq: int = 0
    ) -> None:
        self.run = self.outcome = run
        self.number = number
        self.conversation = conversation
        self.request_id = request_id
        self.first_seq = last_seq + 1
        self.events: list[Event] = []
        self.writing: list[Event] = []
        self.drafts: list[Draft] = []
        self.outbox: list[bytes] = []
        self.usage: TurnUsage | None = None
        self.closure: Callable[[str, sqlite3.Connection], None] | None = None
        self.answered: frozenset[str] = frozenset()
        self.checkpointed = False
        self.row_changed = True
        self.sealed = self.over = self.unstored = False
        self.started = asyncio.get_running_loop().time()
        self.changed = Bell()
        self._answer: bytes | None = None
        self._next_seq = self.first_seq
        self._growing: Draft | None = None

    @property
    def last_seq(self) -> int:
        """The last event that was appended."""
        return self._next_seq - 1

    @property
    def latency_ms(self) -> float:
        """Milliseconds since this process took the run up."""
        return round((asyncio.get_running_loop().time() - self.started) * 1000, 3)

    def append(self, data: EventData) -> int:
        """Take an event; returns its size in bytes. A token right behind a token of the same batch joins it."""
        if self.sealed:
            return 0
        return self._append(event_type(data), encode(data))

    def finish(self, end: EventData, answer: Answer, at: str) -> None:
        """Append the terminal event, and set the outcome that goes into the same commit."""
        encoded = encode(end)
        self._answer = encoded if end is answer else encode(answer)
        self._append(event_type(end), encoded)
        self._set_outcome(answer.status, at, answer)

    def pause(self, answer: Answer) -> None:
        """Stop without an end, until what the answer waits for is decided."""
        self._answer = encode(answer)
        self._set_outcome("waiting", None, answer)

    def part(self) -> None:
        """No token joins one that was appended before this."""
        self._growing = None

    def interrupt(self) -> None:
        """Stop without an end, to be taken up again."""
        self._set_outcome("interrupted", None, None)

    def publish(self, events: list[Event]) -> None:
        """These events are durable now: show them."""
        self.events += events
        self.writing = []
        if self.sealed and not self.drafts:
            self.run = self.outcome
            self.over = True
        self.notify()

    def drop(self, problem: Problem, answer: Answer, at: str) -> None:
        """What is not durable is lost: in memory, the run ends with this problem as its next event."""
        self.take_drafts()
        self.outbox.clear()
        self._next_seq = self.events[-1].seq + 1 if self.events else self.first_seq
        self.finish(problem, answer, at)
        self.unstored = True
        self.publish([draft.seal() for draft in self.take_drafts()])

    def so_far(self) -> list[Event]:
        """All events of this process, also those that are not durable yet."""
        return [*self.events, *self.writing, *(draft.seal() for draft in self.drafts)]

    def take_drafts(self) -> list[Draft]:
        """The events that wait, for a commit."""
        drafts, self.drafts, self._growing = self.drafts, [], None
        return drafts

    def notify(self) -> None:
        """Wake everybody who waits for this run."""
        self.changed.ring()

    def row(self) -> tuple[str | int | bytes | None, ...]:
        """The outcome in the order of the table's columns."""
        run = self.outcome
        owned = (self.number, run.id, run.conversation_id, run.persona, run.owner, run.message, self.request_id)
        return (*owned, run.status, run.attempts, run.created_at, run.finished_at, self._answer, ",".join(run.roles))

    def _append(self, kind: str, part: bytes) -> int:
        if kind == "token" and self._growing is not None:
            self._growing.parts.append(part)
        else:
            draft = Draft(self._next_seq, kind, part)
            self.drafts.append(draft)
            self._growing = draft if kind == "token" else None
            self._next_seq += 1
        return len(part)

    def _set_outcome(self, status: RunStatus, finished_at: str | None, answer: Answer | None) -> None:
        self.outcome = msgspec.structs.replace(self.run, status=status, finished_at=finished_at, answer=answer)
        self.row_changed = self.sealed = True


class LiveRuns:
    """The runs in this process. `revived` is set, and replaced, when an interrupted run goes on or goes away."""

    def __init__(self) -> None:
        self.closing = False
        self.revived = asyncio.Event()
        self._runs: dict[str, LiveRun] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def find(self, run_id: str) -> LiveRun | None:
        """The run, if it is in this process."""
        return self._runs.get(run_id)

    def add(self, live: LiveRun) -> None:
        """A run begins, or begins again."""
        self._runs[live.run.id] = live

    def remove(self, live: LiveRun) -> None:
        """The run is over and stored: from now on it is read from the database."""
        self._runs.pop(live.run.id, None)

    def of(self, conversation_id: str) -> list[LiveRun]:
        """The runs of a conversation."""
        return [live for live in self._runs.values() if live.run.conversation_id == conversation_id]

    async def wait_end(self, live: LiveRun) -> None:
        """Return when the run has ended; `Draining` when the process goes first."""
        while not live.over:
            if self.closing:
                raise Draining
            await live.changed.wait()
        if live.run.status == "interrupted":
            raise Draining

    def wake(self) -> None:
        """Wake those who wait for an interrupted run."""
        revived, self.revived = self.revived, asyncio.Event()
        revived.set()

    def close(self) -> None:
        """Wake every follower for the last time: what is not over by now is not going to be."""
        self.closing = True
        self.wake()
        for live in self._runs.values():
            live.notify()
