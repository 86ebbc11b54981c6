"""The typed items on a run's stream, in the order of a turn: numbered, persisted, resumable."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from agent_gateway.approval import Approval
from agent_gateway.messages import Answer, Citation, Problem, Route
from agent_gateway.tool import ToolCall, ToolResult


class RunStarted(msgspec.Struct, frozen=True, kw_only=True):
    """First event of every run."""

    run_id: str
    conversation_id: str
    persona: str


class RunResumed(msgspec.Struct, frozen=True, kw_only=True):
    """A cut run starts again under its id: forget what came after event `discard_after`."""

    run_id: str
    discard_after: int


class StageStarted(msgspec.Struct, frozen=True, kw_only=True):
    """A stage (classify, retrieve, route, act, remember) begins."""

    stage: str


class StageFinished(msgspec.Struct, frozen=True, kw_only=True):
    """A stage ended after `ms` milliseconds; `result` is what it decided (the intent, the route, ...)."""

    stage: str
    ms: float
    result: dict[str, Any] = {}


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the answer's text; the pieces in order are the whole response."""

    text: str


EventData: TypeAlias = (
    RunStarted
    | RunResumed
    | StageStarted
    | StageFinished
    | Token
    | ToolCall
    | ToolResult
    | Approval
    | Citation
    | Route
    | Answer
    | Problem
)

EVENT_TYPES: dict[type[Any], str] = {
    RunStarted: "run_started",
    RunResumed: "run_resumed",
    StageStarted: "stage_started",
    StageFinished: "stage_finished",
    Token: "token",
    ToolCall: "tool_call",
    ToolResult: "tool_result",
    Approval: "approval_required",
    Citation: "citation",
    Route: "route",
    Answer: "done",
    Problem: "error",
}

#: A run's stream ends with exactly one of these.
TERMINAL_TYPES = frozenset({"done", "error"})


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event as stored and sent: `seq` counts from 1 within a run, `data` is one encoded JSON object.

    Live runs hold hundreds of thousands of them, which the garbage collector need not visit: they refer to nothing.
    """

    seq: int
    type: str
    data: bytes

    @property
    def terminal(self) -> bool:
        """Whether nothing follows this event."""
        return self.type in TERMINAL_TYPES


def event_type(data: EventData) -> str:
    """The name of an event's type on the wire."""
    return EVENT_TYPES[type(data)]
