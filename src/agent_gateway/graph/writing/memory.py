"""What an answer that stands still before a call has to remember, to go on in another process."""

from __future__ import annotations

import msgspec

from agent_gateway.graph.writing.prompt import Observation
from agent_gateway.graph.writing.tool_protocol import ProposedCall
from agent_gateway.interfaces import Failure, Passage
from agent_gateway.messages import Route
from agent_gateway.tool import ToolCall


class LoopMemory(msgspec.Struct, frozen=True, kw_only=True):
    """The tool loop between two calls. `waiting` is the call it stands before, `queue` what was proposed after that.

    `passages` are all that may be cited, in the order of their numbers. `bad` and `repeated` count calls in a row.
    """

    waiting: ToolCall
    queue: tuple[ProposedCall, ...]
    observations: tuple[Observation, ...]
    passages: tuple[Passage, ...]
    route: Route
    failures: tuple[Failure, ...]
    tokens: int
    steps: int
    calls: int
    bad: int
    repeated: int
