"""Tools as a turn uses them: which are offered, and the one way to call them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from agent_gateway.approval import Approval
from agent_gateway.intent import Intent
from agent_gateway.persona import Persona
from agent_gateway.tool import Tool, ToolCall, ToolResult


class Tools(Protocol):
    """Every tool of the gateway, and the one executor with the gate in it. `context` is the turn's `Context`."""

    def offered(self, persona: Persona, intent: Intent, run_id: str = "") -> tuple[Tool, ...]:
        """At most 8 tools a model is told of: the intent's among the persona's, then those that belong to no intent.

        `read_more` is among them once output of this run was cut.
        """
        ...

    def owned(self, persona: Persona) -> Sequence[Tool]:
        """Every tool that a persona may use."""
        ...

    async def call(self, call: ToolCall, context: Any, *, automatic: bool = False) -> ToolResult:
        """Validate, ask the gate, run within the tool's timeout, keep the output within its budget.

        A call that changes something, or that a human must decide on, is not made yet: its result is `waiting`, with
        the approval it waits for, if a human must decide. `perform` makes it. Whatever goes wrong is a result:
        `failed` with what to mend, or `refused` with the gate's reason.

        `automatic`: no model chose this call with untrusted text before it.
        """
        ...

    async def waits_for(self, run_id: str, call_id: str) -> Approval | None:
        """The approval that a call waits for, as it stands now."""
        ...

    async def perform(self, call: ToolCall, context: Any, *, automatic: bool = False) -> ToolResult:
        """Make a call that `call` said is waiting, once and for all.

        An approved call is read from the store: what is done is what was shown. It has its stored result when it was
        made before, and the world is asked when it was begun before and nobody knows how it ended. `waiting` when
        nobody has decided yet.
        """
        ...

    async def forget(self, run_id: str) -> None:
        """The run is over: throw away what was kept of its tools' output."""
        ...
