"""Durable runs and conversations over SQLite: the front of this package."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import NamedTuple, Self

import msgspec

from agent_gateway.errors import Conflict, InvalidInput, NotFound, Unavailable
from agent_gateway.events import Event, RunStarted
from agent_gateway.interfaces import (
    Agent,
    Approvals,
    Audit,
    Interaction,
    Journal,
    Ledger,
    TurnRequest,
    Undelivered,
)
from agent_gateway.interfaces.checkpoints import Checkpoints
from agent_gateway.messages import Answer, Conversation, ConversationSummary, Run
from agent_gateway.runs.acts import Acts
from agent_gateway.runs.audit_chain import AuditChain
from agent_gateway.runs.audit_check import open_chain
from agent_gateway.runs.conversations import Conversations
from agent_gateway.runs.database import Database
from agent_gateway.runs.executions import Executions
from agent_gateway.runs.followers import Followers
from agent_gateway.runs.identifiers import new_id
from agent_gateway.runs.ledger import SqliteLedger, Sums, read_spent, utc_day
from agent_gateway.runs.live import LiveRun
from agent_gateway.runs.outbox import Outbox, Sink
from agent_gateway.runs.records import StoredRun, mark_interrupted, read_run, run_not_found
from agent_gateway.runs.recovery import Recovery, not_interrupted
from agent_gateway.runs.withdrawal import RunningWithdrawal


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How runs are kept.

    `event_interval_ms`: how long events wait for others to share a commit. `max_attempts`: starts of a run that keeps
    being cut. `max_running`: turns at a time, more are refused. `outbox_delay_seconds`: how long rows wait for others.
    """

    event_interval_ms: float = 20.0
    max_attempts: int = 3
    max_running: int = 1_000
    outbox_delay_seconds: float = 1.0


#: How long the last rows may take to get into the knowledge base; the rest waits, stored, for the next start.
LAST_DELIVERY_SECONDS = 3.0
DEFAULT_OPTIONS = RunOptions()


class Opening(NamedTuple):
    """What is read when the database is opened: the number of the next run, what was spent today, the audit log."""

    next_number: int
    spent: Sums
    chain: AuditChain


class SqliteRuns:
    """The `Runs` of a gateway; made by `open`, ended by `drain` or `close`."""

    def __init__(
        self,
        opened: tuple[Database, Opening],
        agents: Mapping[str, Agent],
        options: RunOptions,
        on_finished: Callable[[Run], None],
        *,
        today: Callable[[], str] = utc_day,
    ) -> None:
        database, opening = opened
        self._database = database
        self._options = options
        self._numbers = count(opening.next_number)
        self._outbox = Outbox(database, delay=options.outbox_delay_seconds)
        self._executions = Executions(
            (database, opening.chain),
            agents,
            interval=options.event_interval_ms / 1000,
            on_finished=on_finished,
            on_waiting=self._consider,
            on_outbox=self._outbox.notify,
        )
        self._ledger = SqliteLedger(self._executions.commits, self._executions.lives, opening.spent, today)
        self._conversations = Conversations(database, self._executions)
        self._recovery = Recovery(database, self._executions, self._conversations, max_attempts=options.max_attempts)
        self._followers = Followers(database, self._executions.lives)
        self._acts = Acts(database, self._executions, self._recovery)

    @classmethod
    async def open(
        cls,
        path: Path,
        agents: Mapping[str, Agent],
        options: RunOptions = DEFAULT_OPTIONS,
        on_finished: Callable[[Run], None] = lambda run: None,
        *,
        today: Callable[[], str] = utc_day,
    ) -> Self:
        """Open or create the database at `path`; runs that were cut become interrupted until `recover`.

        `agents`, by persona, is looked at when a turn starts, so it may be filled later. `on_finished` gets each run
        once its end is durable. `today` names the day, in UTC. `StorageFailed` when the file cannot be used.
        """
        opened = await Database.open(path, partial(_take_stock, folder=path.parent, day=today()))
        return cls(opened, agents, options, on_finished, today=today)

    @property
    def ledger(self) -> Ledger:
        """What models were used for; it is written with the events of the runs."""
        return self._ledger

    @property
    def approvals(self) -> Approvals:
        """What humans are asked to decide; a decision lets its run go on."""
        return self._acts.approvals

    @property
    def journal(self) -> Journal:
        """The writes that were begun, and how they ended."""
        return self._acts.journal

    @property
    def audit(self) -> Audit:
        """The tamper-evident log of what was asked, decided and done."""
        return self._acts.audit

    @property
    def checkpoints(self) -> Checkpoints:
        """The states from which turns go on in the middle."""
        return self._acts.checkpoints

    @property
    def undelivered(self) -> Undelivered:
        """The interactions that wait for the knowledge base, and can be taken back."""
        return RunningWithdrawal(self._executions.commits)

    async def start(self, request: TurnRequest) -> Run:
        """Begin a turn; it goes on when the caller goes away.

        `NotFound` for an unknown persona or conversation, `InvalidInput` for text that is not Unicode, `Unavailable`
        while draining or when too many turns are running.
        """
        self._check_admission(request)
        commits = self._executions.commits
        if request.conversation_id is None:
            at = commits.clock.now()
            state = self._conversations.create(request.persona, request.owner, request.message, at)
        else:
            state = await self._conversations.open(request.conversation_id, request.persona, request.owner)
            at = state.updated_at = commits.clock.now()
        run = Run(
            id=new_id("run"),
            conversation_id=state.id,
            persona=request.persona,
            owner=request.owner,
            message=request.message,
            status="running",
            attempts=1,
            created_at=at,
            roles=request.roles,
        )
        live = LiveRun(run, next(self._numbers), state, request_id=request.request_id)
        self._executions.admit(live)
        commits.append(live, RunStarted(run_id=run.id, conversation_id=state.id, persona=run.persona))
        self._executions.begin(live)
        return run

    async def get(self, run_id: str, persona: str, owner: str) -> Run:
        """The run as far as it is durable; `NotFound` when absent or another's."""
        live = self._executions.lives.find(run_id)
        if live is not None and (live.run.persona, live.run.owner) == (persona, owner):
            return live.run
        # Another's is looked for as well, though it is here: else it would be refused sooner than what never was.
        stored = await self._database.read(partial(_read_own, run_id=run_id, persona=persona, owner=owner))
        if stored is None:
            raise run_not_found(run_id)
        return stored.run

    def follow(self, run_id: str, after: int = 0) -> AsyncIterator[Event]:
        """The run's events after a sequence number, stored ones first, then live, to the terminal one.

        Waits while the run is interrupted, or waits for a human. Raises `NotFound`, and `Draining` (code
        `shutting_down`) when the process goes before the run's end. Not bound to an owner: `get` the run first.
        """
        return self._followers.follow(run_id, after)

    async def result(self, run_id: str) -> Answer:
        """The outcome of a run once it is durable, also of a failed one, or what it waits for a human with.

        Raises as `follow` does.
        """
        return await self._followers.result(run_id)

    async def cancel(self, run_id: str, persona: str, owner: str) -> Run:
        """Stop a turn that runs, waits or was cut, and return it; `Conflict` (code `run_ended`) when it has ended."""
        while True:
            run = await self.get(run_id, persona, owner)
            live = self._executions.lives.find(run_id)
            if live is not None and not live.over:
                await self._executions.cancel(live)
                # An agent that was about to wait may have come to that first.
                if live.run.status != "waiting":
                    return live.run
            elif run.status in {"interrupted", "waiting"}:
                # Somebody may take it up at the same time.
                with suppress(Conflict):
                    return await self._recovery.cancel(run_id)
            else:
                raise Conflict(f"run {run_id!r} has ended already", code="run_ended")

    async def resume(self, run_id: str, persona: str, owner: str) -> Run:
        """Run an interrupted turn again under its id; `Conflict` (code `run_not_interrupted`) otherwise."""
        self._executions.check_open()
        run = await self.get(run_id, persona, owner)
        if run.status != "interrupted":
            raise not_interrupted(run)
        return await self._recovery.resume(run_id)

    async def recover(self) -> int:
        """Take up every interrupted run in the background; returns how many. Call it once agents can answer.

        Waiting runs go on waiting, but for those whose approval was decided or has expired meanwhile.
        """
        self._executions.check_open()
        taken = await self._recovery.recover()
        await self._acts.recover()
        return taken

    async def conversations(self, persona: str, owner: str, limit: int, before: str) -> Sequence[ConversationSummary]:
        """Newest first, at most 100; `before` is an `updated_at` to page on, empty for the first page."""
        return await self._conversations.page(persona, owner, limit, before)

    async def conversation(self, conversation_id: str, persona: str, owner: str) -> Conversation:
        """The conversation with its turns; `NotFound` when absent or another's."""
        return await self._conversations.get(conversation_id, persona, owner)

    async def delete(self, conversation_id: str, persona: str, owner: str) -> None:
        """Forget the conversation, its runs, events and remembered interactions; what runs in it is cancelled first."""
        self._executions.check_open()
        await self._conversations.delete(conversation_id, persona, owner)

    def remember(self, interaction: Interaction) -> None:
        """Queue an interaction for the knowledge base, in the next commit of its run; does not wait."""
        live = self._executions.lives.find(interaction.run_id)
        self._executions.commits.remember(live, msgspec.json.encode(interaction))

    async def drain_into(self, sink: Sink) -> None:
        """Hand remembered and forgotten interactions to `sink` as they come, until `drain`; a task of the gateway."""
        await self._outbox.drain_into(sink, self._executions.commits)

    async def drain(self, grace_seconds: float) -> None:
        """Take no new work, let running turns end within the grace, leave the others interrupted, store all, close.

        Waiting runs are left waiting. Followers of unfinished runs get `Draining`.
        """
        if self._executions.draining:
            return
        await self._executions.drain(grace_seconds)
        self._acts.close()
        await self._executions.commits.flush()
        self._executions.lives.close()
        await self._outbox.close(LAST_DELIVERY_SECONDS)
        await self._executions.commits.close()
        await self._database.close()

    async def close(self) -> None:
        """Drain without grace."""
        await self.drain(0)

    def _consider(self, run_id: str) -> None:
        self._acts.consider(run_id)

    def _check_admission(self, request: TurnRequest) -> None:
        self._executions.check_open()
        if request.persona not in self._executions.agents:
            raise NotFound(f"the persona {request.persona!r} is not served", code="persona_not_served")
        if self._executions.running >= self._options.max_running:
            raise Unavailable("too many turns are running", code="too_many_runs", hint="try again in a moment")
        try:
            msgspec.json.encode(request)
        except UnicodeEncodeError as error:
            raise InvalidInput("the text is not valid Unicode", hint="remove lone surrogates") from error


def _read_own(connection: sqlite3.Connection, *, run_id: str, persona: str, owner: str) -> StoredRun | None:
    found = connection.execute(
        "SELECT 1 FROM runs WHERE id = ? AND persona = ? AND owner = ?", (run_id, persona, owner)
    ).fetchone()
    return None if found is None else read_run(connection, run_id=run_id)


def _take_stock(connection: sqlite3.Connection, *, folder: Path, day: str) -> Opening:
    return Opening(mark_interrupted(connection), read_spent(connection, day=day), open_chain(connection, folder))
