"""How a streamed turn ended."""

from __future__ import annotations

import time
from dataclasses import dataclass

import msgspec

from agent_gateway.events import TERMINAL_TYPES
from agent_gateway.messages import Answer, Problem
from agent_gateway.testing import GatewayClient


@dataclass(frozen=True)
class Ending:
    """The kinds of a turn's events, how many of them were terminal, how long it took, and what the last one said."""

    kinds: tuple[str, ...]
    terminals: int
    seconds: float
    last: Answer | Problem


async def end_of(gateway: GatewayClient, persona: str, message: str = "Where are the keys?") -> Ending:
    """Ask, and listen to the end."""
    begun = time.monotonic()
    events = await gateway.stream(persona, message)
    seconds = time.monotonic() - begun
    kinds = tuple(event.type for event in events)
    kind: type[Answer | Problem] = Answer if kinds[-1] == "done" else Problem
    last: Answer | Problem = msgspec.json.decode(events[-1].data, type=kind)
    return Ending(kinds, sum(each in TERMINAL_TYPES for each in kinds), seconds, last)
