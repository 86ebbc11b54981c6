"""Conversations in use, in memory: whose they are, their last exchanges, and the order of their turns."""

from __future__ import annotations

import asyncio
from bisect import insort
from collections import OrderedDict
from operator import itemgetter

from agent_gateway.messages import Exchange

#: How many earlier turns an agent is given.
HISTORY_LENGTH = 10
#: How many conversations without a running turn stay in memory.
IDLE_LIMIT = 64
#: Characters of exchanges beyond which a conversation is rather read again than kept.
IDLE_LENGTH = 64 * 1024


class ConversationState:
    """One conversation: its row, its last completed exchanges by the time of their run, and a lock its turns take.

    The lock hands over in the order it was asked for, so the turns of a conversation run one after the other.
    """

    def __init__(self, row: tuple[str, str, str, str, str], updated_at: str) -> None:
        self.id, self.persona, self.owner, self.title, self.created_at = row
        self.updated_at = updated_at
        self.turns = asyncio.Lock()
        self.users = 0
        self._exchanges: list[tuple[str, Exchange]] = []

    def add(self, created_at: str, exchange: Exchange) -> None:
        """Note a completed turn, which need not be the latest: an interrupted one may have been run again."""
        insort(self._exchanges, (created_at, exchange), key=itemgetter(0))
        del self._exchanges[:-HISTORY_LENGTH]

    def history(self, before: str) -> tuple[Exchange, ...]:
        """The exchanges of turns that began before a time, oldest first."""
        return tuple(exchange for created_at, exchange in self._exchanges if created_at < before)

    @property
    def length(self) -> int:
        """Characters of the exchanges in memory."""
        return sum(len(exchange.message) + len(exchange.response) for _, exchange in self._exchanges)

    def row(self) -> tuple[str, str, str, str, str, str]:
        """As stored: id, persona, owner, title, created_at, updated_at."""
        return (self.id, self.persona, self.owner, self.title, self.created_at, self.updated_at)


class Histories:
    """The conversations in memory: all that have a running turn, and a few that had one lately."""

    def __init__(self, idle_limit: int = IDLE_LIMIT) -> None:
        self._active: dict[str, ConversationState] = {}
        self._idle: OrderedDict[str, ConversationState] = OrderedDict()
        self._idle_limit = idle_limit

    def __len__(self) -> int:
        return len(self._active) + len(self._idle)

    def find(self, conversation_id: str) -> ConversationState | None:
        """The conversation, if it is in memory."""
        return self._active.get(conversation_id) or self._idle.get(conversation_id)

    def acquire(self, state: ConversationState) -> None:
        """A turn begins: the conversation stays in memory until as many `release` calls."""
        self._idle.pop(state.id, None)
        self._active[state.id] = state
        state.users += 1

    def release(self, state: ConversationState) -> None:
        """A turn ended."""
        state.users -= 1
        if state.users == 0 and self._active.pop(state.id, None) is not None and state.length <= IDLE_LENGTH:
            self._idle[state.id] = state
            if len(self._idle) > self._idle_limit:
                self._idle.popitem(last=False)

    def forget(self, conversation_id: str) -> None:
        """The conversation was deleted."""
        self._idle.pop(conversation_id, None)
        self._active.pop(conversation_id, None)
