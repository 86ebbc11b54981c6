"""An answer that stands still before a call: what act has of it so far."""

from __future__ import annotations

from typing import Any

import msgspec

from agent_gateway.completion import Usage
from agent_gateway.graph.writing.memory import LoopMemory
from agent_gateway.messages import Citation, Route, ToolUse
from agent_gateway.tool import ToolCall


class PlainMemory(msgspec.Struct, frozen=True, kw_only=True):
    """A plain request that is being carried out: what was understood, and the calls that follow."""

    meaning: str
    then: tuple[tuple[str, dict[str, Any]], ...] = ()


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """The pieces of an answer. `memory` is the tool loop's, `plain` that of a request that needs no model."""

    words: str
    citations: tuple[Citation, ...]
    route: Route
    calls: dict[str, ToolCall]
    uses: tuple[ToolUse, ...]
    usages: tuple[Usage, ...]
    notices: tuple[str, ...]
    memory: LoopMemory | None = None
    plain: PlainMemory | None = None
