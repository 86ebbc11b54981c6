"""Shows the events of a turn as they come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from agent_gateway.approval import Approval
from agent_gateway.cli.amounts import money
from agent_gateway.cli.output import Output
from agent_gateway.events import Event, StageFinished, Token
from agent_gateway.messages import Answer, Citation, Problem, Route, TurnUsage
from agent_gateway.tool import ToolCall, ToolResult

DIM = "dim"
#: Characters shown of what a tool is given, and of why it gave nothing back.
SHOWN = 200


class EventRecord(msgspec.Struct, frozen=True):
    """An event as a line of JSON."""

    seq: int
    type: str
    data: msgspec.Raw


class Transcript:
    """One turn on the output: stages on a terminal, who else answers, tools, the answer's text, its sources and cost.

    As JSON: every event.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._in_line = False

    def show(self, event: Event) -> None:
        """Show one event."""
        if self._output.as_json:
            self._output.record(EventRecord(event.seq, event.type, msgspec.Raw(event.data)))
            return
        if event.type == "token":
            text = msgspec.json.decode(event.data, type=Token).text
            self._output.text(text, end="")
            self._in_line = bool(text) and not text.endswith("\n")
        elif event.type == "stage_finished" and self._output.rich:
            stage = msgspec.json.decode(event.data, type=StageFinished)
            self._line(f"{stage.stage:<9}{stage.ms:8.1f} ms  {summarize(stage)}".rstrip(), DIM)
        elif event.type == "run_resumed":
            self._line("(the gateway was restarted: the answer begins again)")
        elif event.type in DEEDS:
            self._line(DEEDS[event.type](event.data), DIM)
        elif event.type == "done":
            self._end(msgspec.json.decode(event.data, type=Answer))

    def _end(self, answer: Answer) -> None:
        self._end_line()
        if answer.citations:
            self._line("")
        for citation in sorted(answer.citations, key=lambda each: each.n):
            self._line(source_line(citation))
        for notice in answer.notices:
            self._line(f"Note: {notice}")
        if answer.usage is not None:
            self._line(usage_line(answer.usage), DIM)
        if not self._output.rich:
            return
        for asked in answer.asked_before:
            self._line(f"asked before: {asked.question}", DIM)
        self._line(f"conversation {answer.conversation_id}", DIM)

    def _line(self, text: str, style: str = "") -> None:
        self._end_line()
        self._output.text(text, style=style)

    def _end_line(self) -> None:
        if self._in_line:
            self._output.text("")
        self._in_line = False


def source_line(citation: Citation) -> str:
    """Name the source of a claim."""
    return f"[{citation.n}] {citation.source}: {citation.title}"


def usage_line(usage: TurnUsage) -> str:
    """Say what a turn took."""
    estimated = " (estimated)" if usage.estimated else ""
    cost = f", {money(usage.cost)}" if usage.cost else ""
    return f"{usage.prompt_tokens} tokens read, {usage.completion_tokens} written{estimated}{cost}"


def route_line(data: bytes) -> str:
    """Say who answers from here on."""
    route = msgspec.json.decode(data, type=Route)
    model = f" ({route.model})" if route.model != route.tier else ""
    return f"-> {route.tier}{model}: {on_one_line(route.reason)}"


def call_line(data: bytes) -> str:
    """Say which tool is called with what."""
    call = msgspec.json.decode(data, type=ToolCall)
    return f"-> {call.name} {shorten(msgspec.json.encode(call.arguments).decode())}"


def result_line(data: bytes) -> str:
    """Say how a call ended, and of one that did not go well, why."""
    result = msgspec.json.decode(data, type=ToolResult)
    why = "" if result.status == "ok" else f": {shorten(on_one_line(result.text))}"
    return f"<- {result.name} {result.status}, {result.ms:.0f} ms{why}"


def approval_lines(data: bytes) -> str:
    """Say what a human must decide on, and how that is done."""
    approval = msgspec.json.decode(data, type=Approval)
    diff = f"\n{approval.diff.rstrip()}" if approval.diff else ""
    return (
        f"? {approval.summary}{diff}\n"
        f"waits until {approval.expires_at} for: agent-gateway approvals approve {approval.id} (or: reject)"
    )


DEEDS: Mapping[str, Callable[[bytes], str]] = {
    "route": route_line,
    "tool_call": call_line,
    "tool_result": result_line,
    "approval_required": approval_lines,
}


def on_one_line(text: str) -> str:
    """Join the lines of a text."""
    return " ".join(text.split())


def shorten(text: str) -> str:
    """Cut what is too long to be read in passing."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def summarize(stage: StageFinished) -> str:
    """Say in a few words what a stage decided."""
    result: dict[str, Any] = stage.result
    if "intent" in result:
        return f"{result['intent']['category']} ({result['intent']['confidence']:.0%})"
    if "passages" in result:
        found = f"{result['passages']} passages from {', '.join(result.get('collections', ())) or 'nowhere'}"
        return found if result.get("answerable") else f"{found}; no answer among them"
    if "route" in result:
        return f"{result['route']['tier']}: {result['route']['reason']}"
    return f"{result['citations']} sources" if "citations" in result else ""


def failure(event: Event) -> Problem | None:
    """Return what went wrong when a turn ended without an answer."""
    if event.type == "error":
        return msgspec.json.decode(event.data, type=Problem)
    answer = msgspec.json.decode(event.data, type=Answer)
    return answer.error if answer.status == "failed" else None
