"""How a run ends when its agent did not answer: the problem its followers see, the answer that is stored."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from agent_gateway.errors import GatewayError
from agent_gateway.events import Event, Token
from agent_gateway.messages import Answer, Citation, Problem, Run

_TOKEN = msgspec.json.Decoder(Token)
_CITATION = msgspec.json.Decoder(Citation)


def problem_of(error: BaseException) -> Problem:
    """What the user is told; of a bug no more than that it is one."""
    if isinstance(error, GatewayError):
        return Problem(code=error.code, detail=_printable(error.detail), hint=_printable(error.hint))
    return Problem(
        code="internal_error",
        detail="something went wrong inside the gateway",
        hint="the log has the details under this run's id",
    )


def failed_answer(run: Run, problem: Problem, latency_ms: float) -> Answer:
    """The outcome of a run that ended with a problem."""
    return Answer(
        response=problem.detail,
        model="extractive",
        context_used=0,
        latency_ms=latency_ms,
        conversation_id=run.conversation_id,
        run_id=run.id,
        status="failed",
        error=problem,
    )


def cancelled_answer(run: Run, events: Sequence[Event], latency_ms: float) -> Answer:
    """The outcome of a cancelled run: the text and the citations that its last attempt had produced so far."""
    resumed = [index for index, event in enumerate(events) if event.type == "run_resumed"]
    attempt = events[resumed[-1] :] if resumed else events
    citations = tuple(_CITATION.decode(event.data) for event in attempt if event.type == "citation")
    return Answer(
        response="".join(_TOKEN.decode(event.data).text for event in attempt if event.type == "token"),
        model="extractive",
        context_used=len(citations),
        latency_ms=latency_ms,
        conversation_id=run.conversation_id,
        run_id=run.id,
        status="cancelled",
        citations=citations,
    )


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
