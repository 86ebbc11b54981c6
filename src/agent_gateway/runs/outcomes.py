"""How a run ends when its agent did not answer: the problem its followers see, the answer that is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from agent_gateway.errors import GatewayError
from agent_gateway.events import Event, StageFinished, Token
from agent_gateway.messages import MODEL_KINDS, Answer, Citation, Exchange, Problem, Route, Run

_TOKEN = msgspec.json.Decoder(Token)
_CITATION = msgspec.json.Decoder(Citation)
_ROUTE = msgspec.json.Decoder(Route)
_STAGE = msgspec.json.Decoder(StageFinished)


def problem_of(error: BaseException) -> Problem:
    """What the user is told; of a bug no more than that it is one."""
    if isinstance(error, GatewayError):
        return Problem(code=error.code, detail=_printable(error.detail), hint=_printable(error.hint))
    return Problem(
        code="internal_error",
        detail="something went wrong inside the gateway",
        hint="the log has the details under this run's id",
    )


def failed_answer(run: Run, problem: Problem, latency_ms: float, events: Sequence[Event] = ()) -> Answer:
    """The outcome of a run that ended with a problem; `events` tell which route it had taken."""
    route = last_route(_last_attempt(events))
    return Answer(
        response=problem.detail,
        model=MODEL_KINDS[route.tier] if route else "extractive",
        context_used=0,
        latency_ms=latency_ms,
        conversation_id=run.conversation_id,
        run_id=run.id,
        status="failed",
        route=route,
        error=problem,
    )


def exchange_of(message: str, answer: Answer) -> Exchange:
    """What later turns of the conversation are told of a completed one."""
    return Exchange(message=message, response=answer.response, tier=answer.route.tier if answer.route else None)


def cancelled_answer(run: Run, events: Sequence[Event], latency_ms: float) -> Answer:
    """The outcome of a cancelled run: the text, the citations and the route of its last attempt so far."""
    attempt = _last_attempt(events)
    route = last_route(attempt)
    citations = tuple(_CITATION.decode(event.data) for event in attempt if event.type == "citation")
    return Answer(
        response="".join(_TOKEN.decode(event.data).text for event in attempt if event.type == "token"),
        model=MODEL_KINDS[route.tier] if route else "extractive",
        context_used=len(citations),
        latency_ms=latency_ms,
        conversation_id=run.conversation_id,
        run_id=run.id,
        status="cancelled",
        route=route,
        citations=citations,
    )


def last_route(events: Sequence[Event]) -> Route | None:
    """The route that was taken last: what the stage decided, or whom act turned to then."""
    for event in reversed(events):
        if event.type == "route":
            return _ROUTE.decode(event.data)
        if event.type == "stage_finished":
            decided = _STAGE.decode(event.data).result.get("route")
            if decided is not None:
                return _route_of(decided)
    return None


def _route_of(decided: Any) -> Route | None:
    try:
        return msgspec.convert(decided, Route)
    except msgspec.ValidationError:
        # A stage of a plugin may emit what it likes.
        return None


def _last_attempt(events: Sequence[Event]) -> Sequence[Event]:
    resumed = [index for index, event in enumerate(events) if event.type == "run_resumed"]
    return events[resumed[-1] :] if resumed else events


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
