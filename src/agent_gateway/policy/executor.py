"""The one executor of tools, with the gate in it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import structlog

from agent_gateway.errors import GatewayError, InvalidInput
from agent_gateway.intent import Intent
from agent_gateway.interfaces import Context
from agent_gateway.persona import Persona
from agent_gateway.policy.arguments import convert_arguments
from agent_gateway.policy.gate import decide, refuse_stranger
from agent_gateway.policy.output import Excerpt, OutputStore, clean
from agent_gateway.tool import READ_MORE, Tool, ToolResult, tool

MOST_OFFERED = 8
#: Talk needs no tools.
_TALK = "chat"
_LONGEST_ERROR = 300
#: Of the turn's remaining time a tool may take this share: somebody has to answer afterwards.
_SHARE = 0.8

log = structlog.get_logger(__name__)


class Refused(GatewayError):
    """The gate did not let a call through."""

    code = "tool_refused"


class ToolExecutor:
    """Implements `Tools`. `intents` gives the tools of each intent, `folder` is where long output is kept."""

    def __init__(
        self,
        tools: Mapping[str, Tool],
        intents: Mapping[str, tuple[str, ...]],
        folder: Path,
    ) -> None:
        self._output = OutputStore(folder)
        self._pager = tool(self._read_more, name=READ_MORE, output_limit=1_000_000)
        self._tools = {**tools, READ_MORE: self._pager}
        self._intents = intents
        self._claimed = {name for names in intents.values() for name in names}

    def offered(self, persona: Persona, intent: Intent, run_id: str = "") -> tuple[Tool, ...]:
        """At most 8 tools: the intent's among the persona's, then those that belong to no intent; none for talk."""
        if intent.category == _TALK:
            return ()
        fitting = [name for name in self._intents.get(intent.category, ()) if name in persona.tools]
        fitting += [name for name in persona.tools if name not in self._claimed]
        chosen = [self._tools[name] for name in dict.fromkeys(fitting) if name in self._tools]
        if not self._output.holds(run_id):
            return tuple(chosen[:MOST_OFFERED])
        return (*chosen[: MOST_OFFERED - 1], self._pager)

    async def call(self, call_id: str, name: str, arguments: dict[str, Any], context: Any) -> ToolResult:
        """Validate, ask the gate, run within the tool's timeout, keep the output within its budget."""
        persona: Persona = context.persona
        found = self._tools.get(name)
        if found is None:
            text = f"There is no tool '{name[:80]}'. {self._name_tools(persona)}"
            return ToolResult(call_id=call_id, name=name, status="failed", text=text, mendable=True)
        if refusal := refuse_stranger(persona, name):
            return ToolResult(call_id=call_id, name=name, status="refused", text=refusal.reason)
        try:
            given = convert_arguments(found, arguments)
        except InvalidInput as error:
            return ToolResult(call_id=call_id, name=name, status="failed", text=error.detail, mendable=True)
        begun = time.perf_counter()
        outcome = await self._attempt(found, given, context)
        ms = round((time.perf_counter() - begun) * 1000, 2)
        if isinstance(outcome, Refused):
            return ToolResult(call_id=call_id, name=name, status="refused", text=outcome.detail, ms=ms)
        if isinstance(outcome, GatewayError):
            text = clean(str(outcome))[: found.output_limit]
            return ToolResult(call_id=call_id, name=name, status="failed", text=text, ms=ms)
        return ToolResult(
            call_id=call_id, name=name, status="ok", text=outcome.text, ms=ms, more=outcome.more, pages=outcome.pages
        )

    async def forget(self, run_id: str) -> None:
        """The run is over: throw away what was kept of its tools' output."""
        await self._output.forget(run_id)

    async def _attempt(self, found: Tool, given: dict[str, Any], context: Context) -> Excerpt | GatewayError:
        """What came of a call that fits; a tool may raise anything, and harms only its own call."""
        cancels = _count_cancels()
        remaining = (context.deadline - asyncio.get_running_loop().time()) * _SHARE
        seconds = max(min(found.timeout_seconds, remaining), 0.0)
        clock = asyncio.timeout(seconds)
        try:
            verdict = decide(context.persona, found, given)
            if verdict.decision != "allow":
                return Refused(verdict.reason)
            async with clock:
                output = await found.run(**given, **({"context": context} if found.takes_context else {}))
            return await self._output.shorten(context.run_id, output, found.output_limit)
        except (Exception, SystemExit, asyncio.CancelledError) as error:
            # The one border around a tool's code. What that waits for may be cancelled, which is no cancel of its turn.
            if isinstance(error, asyncio.CancelledError) and _count_cancels() > cancels:
                raise
            late = isinstance(error, TimeoutError) and clock.expired()
            failure = GatewayError(f"it took longer than {seconds:.3g} s") if late else _failure(error)
        log.warning("tool_failed", tool=found.name, run_id=context.run_id, error=failure.detail)
        return failure

    def _name_tools(self, persona: Persona) -> str:
        names = [name for name in persona.tools if name in self._tools]
        return f"There are: {', '.join(names)}." if names else "There are none."

    async def _read_more(
        self,
        result: Annotated[str, msgspec.Meta(description="The name of the result that was cut, like result-1.")],
        page: Annotated[int, msgspec.Meta(description="Which page, from 1; page 1 is what you have seen.")],
        context: Context,
    ) -> str:
        """Read another page of a tool's result that was too long to be shown whole."""
        return await self._output.read(context.run_id, result, page)


def _count_cancels() -> int:
    """How often this task was told to stop."""
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def _failure(error: BaseException) -> GatewayError:
    """What a tool raised, in one line."""
    if isinstance(error, GatewayError):
        return error
    line = next(iter(str(error).strip().splitlines()), "")
    return GatewayError(f"{type(error).__name__}: {line}"[:_LONGEST_ERROR])
