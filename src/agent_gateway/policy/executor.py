"""The one executor of tools, with the gate in it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from agent_gateway.approval import Approval
from agent_gateway.errors import GatewayError, InvalidInput
from agent_gateway.intent import Intent
from agent_gateway.interfaces import Context
from agent_gateway.persona import Persona
from agent_gateway.policy.arguments import convert_arguments
from agent_gateway.policy.border import cross
from agent_gateway.policy.gate import Asker, Gate, Veto, refuse_stranger
from agent_gateway.policy.output import Excerpt, OutputStore
from agent_gateway.policy.wording import show_error
from agent_gateway.policy.writes import Case, Records, Writes
from agent_gateway.redaction import redact
from agent_gateway.tool import READ_MORE, Tool, ToolCall, ToolResult, Verdict, given_to, tool

MOST_OFFERED = 8
#: Talk needs no tools.
_TALK = "chat"
#: Of the turn's remaining time a tool may take this share: somebody has to answer afterwards.
_SHARE = 0.8


class ToolExecutor:
    """Implements `Tools`. `intents` gives the tools of each intent, `folder` is where long output is kept."""

    def __init__(
        self,
        tools: Mapping[str, Tool],
        intents: Mapping[str, tuple[str, ...]],
        folder: Path,
        records: Records,
        veto: Veto,
    ) -> None:
        self._output = OutputStore(folder)
        self._pager = tool(self._read_more, name=READ_MORE, output_limit=1_000_000)
        self._tools = {**tools, READ_MORE: self._pager}
        self._intents = intents
        self._claimed = {name for names in intents.values() for name in names}
        self._gate = Gate(veto)
        self._records = records
        self._writes = Writes(records, self._gate, self._show)

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

    def owned(self, persona: Persona) -> Sequence[Tool]:
        """Every tool that a persona may use."""
        return tuple(self._tools[name] for name in persona.tools if name in self._tools)

    async def call(self, call: ToolCall, context: Any, *, automatic: bool = False) -> ToolResult:
        """Validate, ask the gate, and run what only reads; a write is prepared, and its result is `waiting`."""
        case = self._open(call, context, automatic=automatic)
        if isinstance(case, ToolResult):
            return case
        begun = time.perf_counter()
        verdict = await cross(lambda: self._decide(case), case.seconds, call.name)
        if isinstance(verdict, GatewayError):
            return _result(call, "failed", verdict, begun)
        if verdict.decision == "deny":
            await self._records.audit.note("call_denied", {**case.named(), "reason": verdict.reason})
            return _result(call, "refused", verdict.reason, begun)
        if verdict.decision == "allow" and case.tool.effect_of(case.call.arguments) == "read":
            return await self._read(case, begun)
        return await self._writes.prepare(case, verdict)

    async def waits_for(self, run_id: str, call_id: str) -> Approval | None:
        """The approval that a call waits for, as it stands now."""
        return await self._records.approvals.of_call(run_id, call_id)

    async def perform(self, call: ToolCall, context: Any, *, automatic: bool = False) -> ToolResult:
        """Make a call that `call` said is waiting, once and for all."""
        case = self._open(call, context, automatic=automatic)
        if isinstance(case, ToolResult):
            return case
        approval = await self._records.approvals.of_call(context.run_id, call.id)
        return await self._writes.perform(case, approval)

    async def forget(self, run_id: str) -> None:
        """The run is over: throw away what was kept of its tools' output."""
        await self._output.forget(run_id)

    def _open(self, call: ToolCall, context: Context, *, automatic: bool) -> Case | ToolResult:
        """A call that fits one of the persona's tools, else the result that says what is wrong."""
        persona = context.persona
        found = self._tools.get(call.name)
        if found is None:
            text = f"There is no tool '{call.name[:80]}'. {self._name_tools(persona)}"
            return ToolResult(call_id=call.id, name=call.name, status="failed", text=text, mendable=True)
        if refusal := refuse_stranger(persona, call.name):
            return ToolResult(call_id=call.id, name=call.name, status="refused", text=refusal.reason)
        try:
            given = convert_arguments(found, call.arguments)
        except InvalidInput as error:
            return ToolResult(call_id=call.id, name=call.name, status="failed", text=error.detail, mendable=True)
        remaining = (context.deadline - asyncio.get_running_loop().time()) * _SHARE
        return Case(
            tool=found,
            call=ToolCall(id=call.id, name=call.name, arguments=given),
            context=context,
            asker=Asker(persona=persona, owner=context.owner, roles=context.roles, automatic=automatic),
            seconds=max(min(found.timeout_seconds, remaining), 0.0),
        )

    async def _decide(self, case: Case) -> Verdict:
        return self._gate.decide(case.asker, case.tool, case.call)

    async def _read(self, case: Case, begun: float) -> ToolResult:
        async def run() -> Excerpt:
            given = given_to(case.tool.run, context=case.context)
            output = await case.tool.run(**case.call.arguments, **given)
            return await self._show(case, output)

        outcome = await cross(run, case.seconds, case.tool.name)
        if isinstance(outcome, GatewayError):
            return _result(case.call, "failed", show_error(case.tool, outcome), begun)
        ms = round((time.perf_counter() - begun) * 1000, 2)
        return ToolResult(
            call_id=case.call.id, name=case.call.name, status="ok", ms=ms,
            text=outcome.text, more=outcome.more, pages=outcome.pages,
        )  # fmt: skip

    async def _show(self, case: Case, output: Any) -> Excerpt:
        """Output as it may be seen: without secrets, within the budget, the rest kept for `read_more`."""
        hide = case.tool.redact
        return await self._output.shorten(
            case.context.run_id, output, case.tool.output_limit, lambda text: redact(text, hide)
        )

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


def _result(call: ToolCall, status: Any, text: GatewayError | str, begun: float) -> ToolResult:
    ms = round((time.perf_counter() - begun) * 1000, 2)
    return ToolResult(call_id=call.id, name=call.name, status=status, text=str(text), ms=ms)
