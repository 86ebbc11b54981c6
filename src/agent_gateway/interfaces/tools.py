"""Tools as a turn uses them: which are offered, and the one way to call them."""

from __future__ import annotations

from typing import Any, Protocol

from agent_gateway.intent import Intent
from agent_gateway.persona import Persona
from agent_gateway.tool import Tool, ToolResult


class Tools(Protocol):
    """Every tool of the gateway, and the one executor with the gate in it."""

    def offered(self, persona: Persona, intent: Intent, run_id: str = "") -> tuple[Tool, ...]:
        """At most 8 tools a model is told of: the intent's among the persona's, then those that belong to no intent.

        `read_more` is among them once output of this run was cut.
        """
        ...

    async def call(self, call_id: str, name: str, arguments: dict[str, Any], context: Any) -> ToolResult:
        """Validate, ask the gate, run within the tool's timeout, keep the output within its budget.

        Whatever goes wrong is a result: `failed` with what to mend, or `refused` with the gate's reason. `context` is
        the turn's `Context`.
        """
        ...

    async def forget(self, run_id: str) -> None:
        """The run is over: throw away what was kept of its tools' output."""
        ...
