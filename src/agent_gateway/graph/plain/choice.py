"""Which tool's call a plain request is: one that is clearly meant, or none, and then what could be meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import msgspec
import structlog

from agent_gateway.graph.plain.guards import is_request
from agent_gateway.graph.plain.rereading import read_again
from agent_gateway.tool import Effect, PlainRequest, Recognition, Tool

log = structlog.get_logger(__name__)

#: A call is made when its tool is at least so sure, and no other tool is nearly as sure.
THRESHOLD = 0.75
MARGIN = 0.15
#: What was recognized with less than this is not even worth mentioning.
FLOOR = 0.3
#: Most things that are mentioned as what could be meant, or could be done.
MOST_OFFERS = 5
#: What a recognizer may get wrong about a message without harm to the turn.
_FAULTS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

Outcome = Literal["call", "missing", "unsure", "nothing"]


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What a plain request comes to.

    `call`: make the call of `tool` with `arguments`, then those of `then`. `missing`: understood, but the message must
    name `missing` first. `unsure`: one of `offers` may be meant. `nothing`: no tool recognizes it; `offers` is what
    could be asked for. `meaning` completes "I understood: ...". `command`: the message was a command, word for word.
    """

    outcome: Outcome
    tool: str = ""
    arguments: dict[str, Any] = {}
    meaning: str = ""
    command: bool = False
    missing: str = ""
    then: tuple[tuple[str, dict[str, Any]], ...] = ()
    offers: tuple[str, ...] = ()


class _Candidate(NamedTuple):
    tool: Tool
    found: Recognition


def choose(request: PlainRequest, tools: Sequence[Tool]) -> Choice:
    """Ask every tool whether it recognizes the request; `tools` are those that the persona may use.

    A message that nobody recognizes is read again, for what it may mean otherwise. That may only end in a read, and
    only when no two of these readings do.
    """
    choice = _choose(request, tools)
    if choice.outcome != "nothing":
        return choice
    for readings in read_again(request):
        again = [_choose(each, tools, only="read") for each in readings]
        calls = [each for each in again if each.outcome == "call"]
        if len({repr((each.tool, each.arguments)) for each in calls}) > 1:
            return Choice(outcome="unsure", offers=tuple(dict.fromkeys(each.meaning for each in calls))[:MOST_OFFERS])
        if calls:
            return calls[0]
    return choice


def _choose(request: PlainRequest, tools: Sequence[Tool], only: Effect | None = None) -> Choice:
    candidates = sorted(_candidates(request, tools), key=lambda each: -each.found.confidence)
    if only is not None:
        candidates = [each for each in candidates if each.tool.effect_of(each.found.arguments) == only]
    commands = [each for each in candidates if each.found.command]
    if len(commands) == 1:
        return _call(commands[0], tools)
    if len(candidates) == 0:
        return Choice(outcome="nothing", offers=_abilities(tools))
    best = candidates[0].found
    rivals = [each.found for each in candidates[1:] if each.found.confidence > best.confidence - MARGIN]
    if commands or best.confidence < THRESHOLD or any(_differ(best, each) for each in rivals):
        return Choice(outcome="unsure", offers=_meanings(candidates))
    if best.missing:
        others = _meanings(candidates[1:])
        return Choice(outcome="missing", meaning=best.meaning, missing=best.missing, offers=others)
    return _call(candidates[0], tools)


def _candidates(request: PlainRequest, tools: Sequence[Tool]) -> list[_Candidate]:
    found = []
    for tool in tools:
        recognition = _recognize(tool, request)
        if recognition is None or recognition.confidence < FLOOR:
            continue
        if recognition.command or is_request(request.text, tool.effect_of(recognition.arguments)):
            found.append(_Candidate(tool, recognition))
    return found


def _recognize(tool: Tool, request: PlainRequest) -> Recognition | None:
    """What the tool says; one that stumbles over a message does not recognize it."""
    if tool.recognize is None:
        return None
    try:
        found = tool.recognize(request)
        if found is not None:
            # Its rule is the plugin's code, too: what it stumbles over is no call.
            tool.effect_of(found.arguments)
    except _FAULTS as error:
        log.warning("recognizer_failed", tool=tool.name, error=repr(error))
        return None
    return found


def _call(candidate: _Candidate, tools: Sequence[Tool]) -> Choice:
    names = {each.name for each in tools}
    found = candidate.found
    return Choice(
        outcome="call",
        tool=candidate.tool.name,
        arguments=found.arguments,
        meaning=found.meaning,
        command=found.command,
        then=tuple(each for each in found.then if each[0] in names),
    )


def _differ(one: Recognition, other: Recognition) -> bool:
    """Whether two readings are not the same question in need of the same missing word."""
    return not (one.missing and one.missing == other.missing)


def _meanings(candidates: Sequence[_Candidate]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.found.meaning for each in candidates))[:MOST_OFFERS]


def _abilities(tools: Sequence[Tool]) -> tuple[str, ...]:
    """The first sentence of each tool that recognizes plain requests, and its name."""
    able = [each for each in tools if each.recognize is not None]
    return tuple(f"{_first_sentence(each.description)} ({each.name})" for each in able)[:MOST_OFFERS]


def _first_sentence(description: str) -> str:
    line = " ".join(description.split("\n\n", 1)[0].split())
    return line.partition(". ")[0].rstrip(".")
