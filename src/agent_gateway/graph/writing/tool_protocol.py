"""What a model's words ask for: the JSON protocol of models without tool calls, and calls that are written as text."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent_gateway.completion import ToolRequest
from agent_gateway.graph.writing.loose_json import find_values, load

#: The names models give to the same two things, most telling first.
_NAMES = ("tool", "tool_name", "name", "function", "function_name")
_ARGUMENTS = ("arguments", "parameters", "args", "params", "input", "action_input", "tool_input", "tool_arguments")
_LISTS = ("tool_calls", "calls", "actions", "function_calls")
_CALL, _ANSWER = "call", "answer"
_ENDS = frozenset({_ANSWER, "final", "final_answer", "finish", "none", "respond", "done"})
_BESIDE = frozenset({"action", "type", "id", "thought", "thoughts", "reason", "reasoning", "explanation"})


#: What a model with tool calls of its own is told when it wrote one as text, and wrong.
UNREADABLE = "Your last tool call could not be read. Call the tool again, with whole arguments, or answer."


@dataclass(frozen=True)
class ProposedCall:
    """A tool and its arguments as the model means them; None when these could not be read."""

    name: str
    arguments: dict[str, Any] | None


@dataclass(frozen=True)
class Reading:
    """What a proposal says: calls, or that it is time to answer; else `fault` tells the model what was wrong."""

    calls: tuple[ProposedCall, ...] = ()
    answers: bool = False
    fault: str = ""

    @property
    def goes_on(self) -> bool:
        """Whether another proposal is due: something was called, or is to be mended."""
        return bool(self.calls or self.fault)


def read_reply(text: str, names: Collection[str]) -> Reading:
    """A reply by the JSON protocol; prose without any JSON is taken for a wish to answer."""
    for value in find_values(text):
        if _is_answer(value):
            return Reading(answers=True)
        calls = tuple(_calls(value, names))
        if calls:
            return Reading(calls=calls)
    if "{" not in text:
        return Reading(answers=bool(text.strip()))
    shape = '{"action": "call", "tool": "<name>", "arguments": {...}}'
    return Reading(fault=f'Your last reply was no such object. Reply with {shape} or {{"action": "answer"}} alone.')


def read_written_calls(text: str, names: Collection[str]) -> tuple[ProposedCall, ...]:
    """The calls of known tools that a model wrote as text instead of calling them; empty when it did not."""
    for value in find_values(text):
        calls = tuple(call for call in _calls(value, names) if call.name in names)
        if calls:
            return calls
    return ()


def read_wrapped_answer(text: str) -> str:
    """The answer that a model wrote into an object of the protocol; empty when there is none."""
    for value in find_values(text):
        if _is_answer(value):
            return next((each for key, each in value.items() if key != "action" and isinstance(each, str)), "")
        return ""
    return ""


def read_request(request: ToolRequest) -> ProposedCall:
    """A call as the server gives it."""
    return ProposedCall(request.name.strip(), _read_arguments(request.arguments))


def _is_answer(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    action = value.get("action", value.get("type"))
    if isinstance(action, str):
        return action.lower() in _ENDS
    return len(value) == 1 and any(key in _ENDS or key == "response" for key in value)


def _calls(value: Any, names: Collection[str]) -> Iterator[ProposedCall]:
    """The calls in one JSON value, in whichever of the known shapes."""
    if isinstance(value, list):
        for each in value:
            yield from _calls(each, names)
        return
    if not isinstance(value, Mapping):
        return
    for key in _LISTS:
        if isinstance(value.get(key), list):
            yield from _calls(value[key], names)
            return
    function = value.get("function")
    if isinstance(function, Mapping):
        yield from _calls(function, names)
        return
    call = _call(value, names)
    if call is not None:
        yield call


def _call(value: Mapping[str, Any], names: Collection[str]) -> ProposedCall | None:
    name, key = _name(value, names)
    if not name:
        return None
    for each in _ARGUMENTS:
        if each in value:
            return ProposedCall(name, _read_arguments(value[each]))
    if key in names:
        return ProposedCall(name, _read_arguments(value[key]))
    # Arguments that stand beside the name, as far as they are any.
    rest = {each: given for each, given in value.items() if each != key and each not in _BESIDE}
    if rest or name in names:
        return ProposedCall(name, rest)
    return None


def _name(value: Mapping[str, Any], names: Collection[str]) -> tuple[str, str]:
    """The tool's name and the key it stands under; empty when the object names none."""
    action = value.get("action")
    if (
        isinstance(action, str)
        and action.lower() not in {_CALL, *_ENDS}
        and (action in names or "action_input" in value)
    ):
        return action, "action"
    telling = isinstance(action, str) or any(key in value for key in _ARGUMENTS)
    for key in _NAMES:
        given = value.get(key)
        if isinstance(given, str) and (given in names or telling):
            return given.strip(), key
    (only, given), *more = [*value.items(), ("", None)]
    if only in names and not [each for each in more if each[0]] and isinstance(given, Mapping):
        return only, only
    return "", ""


def _read_arguments(given: Any) -> dict[str, Any] | None:
    """Arguments given as an object, as its text, or not at all."""
    if isinstance(given, str):
        given = load(given) if given.strip() else {}
        given = load(given) if isinstance(given, str) else given
        return given if isinstance(given, dict) else None
    if given is None:
        return {}
    return dict(given) if isinstance(given, Mapping) else None
