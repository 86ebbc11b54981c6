"""Conversations: listed, read, opened for the next turn, deleted; each bound to its persona and owner."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from agent_gateway.errors import NotFound
from agent_gateway.messages import Conversation, ConversationSummary
from agent_gateway.runs.archive import read_conversation, read_page, read_state
from agent_gateway.runs.closure import delete_conversation
from agent_gateway.runs.database import Database
from agent_gateway.runs.executions import Executions
from agent_gateway.runs.histories import ConversationState
from agent_gateway.runs.identifiers import new_id, title_of

#: The most conversations one page holds.
PAGE_LIMIT = 100


class Conversations:
    """The conversations of all personas and owners; another's is as absent as one that never was."""

    def __init__(self, database: Database, executions: Executions) -> None:
        self._database = database
        self._executions = executions
        self._deleting: set[str] = set()
        self._deletions = 0

    async def page(self, persona: str, owner: str, limit: int, before: str) -> Sequence[ConversationSummary]:
        """At most `limit` (1 to 100) conversations last changed before a time, newest first."""
        limit = max(1, min(limit, PAGE_LIMIT))
        return await self._database.read(partial(read_page, persona=persona, owner=owner, limit=limit, before=before))

    async def get(self, conversation_id: str, persona: str, owner: str) -> Conversation:
        """The conversation with its turns, oldest first."""
        found = await self._database.read(partial(read_conversation, key=(conversation_id, persona, owner)))
        if found is None:
            raise conversation_not_found(conversation_id)
        return found

    def create(self, persona: str, owner: str, message: str, at: str) -> ConversationState:
        """A new conversation; it is stored with its first run."""
        return ConversationState((new_id("conv"), persona, owner, title_of(message), at), at)

    async def open(self, conversation_id: str, persona: str, owner: str) -> ConversationState:
        """The conversation for its next turn, from memory or from the database."""
        histories = self._executions.histories
        state = histories.find(conversation_id)
        if state is not None and (state.persona, state.owner) != (persona, owner):
            # Another's is looked for in the database all the same: it takes as long to refuse as what never was.
            state = None
        while state is None:
            deletions = self._deletions
            loaded = await self._database.read(partial(read_state, key=(conversation_id, persona, owner)))
            if loaded is None:
                raise conversation_not_found(conversation_id)
            # There must be one state only, for it orders the turns: another turn may have loaded it meanwhile.
            # And what was read before a deletion may be gone by now.
            state = histories.find(conversation_id) or (loaded if deletions == self._deletions else None)
        if (state.persona, state.owner) != (persona, owner) or conversation_id in self._deleting:
            raise conversation_not_found(conversation_id)
        return state

    async def delete(self, conversation_id: str, persona: str, owner: str) -> None:
        """Stop its runs, then remove it with all of them, and have its remembered interactions forgotten."""
        await self.open(conversation_id, persona, owner)
        self._deleting.add(conversation_id)
        try:
            await self._stop(conversation_id)
            commits = self._executions.commits
            at = commits.clock.now()
            await commits.perform(
                partial(delete_conversation, chain=commits.chain, conversation_id=conversation_id, at=at)
            )
            self._executions.histories.forget(conversation_id)
        finally:
            self._deletions += 1
            self._deleting.discard(conversation_id)
            self._executions.lives.wake()

    async def _stop(self, conversation_id: str) -> None:
        lives = self._executions.lives.of(conversation_id)
        await asyncio.gather(*(self._executions.cancel(live) for live in lives))
        for live in lives:
            self._executions.commits.give_up(live)


def conversation_not_found(conversation_id: str) -> NotFound:
    """The same for a conversation that is absent and for one that is another's."""
    return NotFound(
        f"there is no conversation {conversation_id!r}",
        code="conversation_not_found",
        hint="leave conversation_id out to start a new one",
    )
