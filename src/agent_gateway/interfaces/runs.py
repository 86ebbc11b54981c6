"""Durable runs, as the HTTP edge sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import msgspec

from agent_gateway.events import Event
from agent_gateway.messages import ROLES, Answer, Conversation, ConversationSummary, Role, Run


class TurnRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A message to a persona. `conversation_id` continues a conversation; None starts one. `roles` are the owner's."""

    persona: str
    owner: str
    message: str
    conversation_id: str | None = None
    request_id: str = ""
    roles: tuple[Role, ...] = ROLES


class Runs(Protocol):
    """Durable runs and conversations, seen from the HTTP edge. Every call is bound to a persona and an owner."""

    async def start(self, request: TurnRequest) -> Run:
        """Begin a turn; it goes on when the caller goes away. `NotFound` for an unknown conversation."""
        ...

    async def get(self, run_id: str, persona: str, owner: str) -> Run:
        """The run; `NotFound` when absent or another's."""
        ...

    async def result(self, run_id: str) -> Answer:
        """Wait until the run has ended or waits for a human (status `waiting`).

        `Unavailable` when it is cut before (the gateway stops), it may then be resumed.
        """
        ...

    def follow(self, run_id: str, after: int = 0) -> AsyncIterator[Event]:
        """The run's events after a sequence number, stored ones first, then live, to the terminal one."""
        ...

    async def cancel(self, run_id: str, persona: str, owner: str) -> Run:
        """Stop a running turn; `Conflict` when it has ended."""
        ...

    async def resume(self, run_id: str, persona: str, owner: str) -> Run:
        """Run an interrupted turn again under its id; `Conflict` when it is not interrupted."""
        ...

    async def conversations(self, persona: str, owner: str, limit: int, before: str) -> Sequence[ConversationSummary]:
        """Newest first; `before` is an `updated_at` to page on, empty for the first page."""
        ...

    async def conversation(self, conversation_id: str, persona: str, owner: str) -> Conversation:
        """The conversation with its turns; `NotFound` when absent or another's."""
        ...

    async def delete(self, conversation_id: str, persona: str, owner: str) -> None:
        """Forget the conversation, its runs, events and remembered interactions."""
        ...
