"""How a run ends when its agent did not answer: the problem its followers see, the answer that is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec

from agent_gateway.errors import GatewayError
from agent_gateway.events import Event, StageFinished, Token
from agent_gateway.intent import Intent
from agent_gateway.messages import MODEL_KINDS, Answer, Citation, Exchange, Problem, Route, Run, ToolUse, TurnUsage
from agent_gateway.tool import ToolCall, ToolResult

T = TypeVar("T")

_TOKEN = msgspec.json.Decoder(Token)
_CITATION = msgspec.json.Decoder(Citation)
_ROUTE = msgspec.json.Decoder(Route)
_STAGE = msgspec.json.Decoder(StageFinished)
_CALL = msgspec.json.Decoder(ToolCall)
_RESULT = msgspec.json.Decoder(ToolResult)


def problem_of(error: BaseException) -> Problem:
    """What the user is told; of a bug no more than that it is one."""
    if isinstance(error, GatewayError):
        return Problem(code=error.code, detail=_printable(error.detail), hint=_printable(error.hint))
    return Problem(
        code="internal_error",
        detail="something went wrong inside the gateway",
        hint="the log has the details under this run's id",
    )


def failed_answer(
    run: Run, problem: Problem, latency_ms: float, events: Sequence[Event] = (), usage: TurnUsage | None = None
) -> Answer:
    """The outcome of a run that ended with a problem, whose detail is its response; else as of a cancelled one."""
    answer = cancelled_answer(run, events, latency_ms, usage)
    return msgspec.structs.replace(answer, response=problem.detail, status="failed", error=problem)


def cancelled_answer(run: Run, events: Sequence[Event], latency_ms: float, usage: TurnUsage | None = None) -> Answer:
    """The outcome of a cancelled run: what the events of its last attempt tell so far.

    Notices and what was asked before are in no event, and so left out. `usage` is known of a run that was going on in
    this process; of one that waited to be resumed it is left out too, and only the ledger has it.
    """
    attempt = _last_attempt(events)
    route = last_route(attempt)
    return Answer(
        response="".join(token.text for token in _decoded(attempt, "token", _TOKEN)),
        model=MODEL_KINDS[route.tier] if route else "extractive",
        context_used=_last_result(attempt, "passages", int) or 0,
        latency_ms=latency_ms,
        conversation_id=run.conversation_id,
        run_id=run.id,
        status="cancelled",
        intent=_last_result(attempt, "intent", Intent),
        route=route,
        citations=tuple(_decoded(attempt, "citation", _CITATION)),
        tool_calls=_tool_uses(attempt),
        usage=usage,
    )


def exchange_of(message: str, answer: Answer) -> Exchange:
    """What later turns of the conversation are told of a completed one."""
    return Exchange(message=message, response=answer.response, tier=answer.route.tier if answer.route else None)


def last_route(events: Sequence[Event]) -> Route | None:
    """The route that was taken last: what the stage decided, or whom act turned to then."""
    told = [index for index, event in enumerate(events) if event.type == "route"]
    decided = _last_result(events[told[-1] :] if told else events, "route", Route)
    return decided or next(_decoded([events[index] for index in told[-1:]], "route", _ROUTE), None)


def _tool_uses(events: Sequence[Event]) -> tuple[ToolUse, ...]:
    """The tool calls in their order; one that was cut before it had a result has failed."""
    results = {result.call_id: result for result in _decoded(events, "tool_result", _RESULT)}
    uses = []
    for call in _decoded(events, "tool_call", _CALL):
        result = results.get(call.id)
        status, ms = (result.status, result.ms) if result is not None else ("failed", 0.0)
        uses.append(ToolUse(id=call.id, name=call.name, arguments=call.arguments, status=status, ms=ms))
    return tuple(uses)


def _last_result(events: Sequence[Event], name: str, kind: type[T]) -> T | None:
    """The last thing of that name that a stage decided."""
    results = [stage.result for stage in _decoded(events, "stage_finished", _STAGE)]
    found = next((result[name] for result in reversed(results) if result.get(name) is not None), None)
    try:
        return msgspec.convert(found, kind) if found is not None else None
    except msgspec.ValidationError:
        # A stage of a plugin may emit what it likes.
        return None


def _decoded(events: Sequence[Event], kind: str, decoder: msgspec.json.Decoder[T]) -> Iterator[T]:
    """The events of a type, without those that a plugin filled with something else."""
    for event in events:
        if event.type == kind:
            try:
                yield decoder.decode(event.data)
            except msgspec.MsgspecError:
                continue


def _last_attempt(events: Sequence[Event]) -> Sequence[Event]:
    resumed = [index for index, event in enumerate(events) if event.type == "run_resumed"]
    return events[resumed[-1] :] if resumed else events


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
