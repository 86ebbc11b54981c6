"""`policy explain`: asks a tool's own rule about calls, without calling anything."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from agent_gateway.cli.output import Output
from agent_gateway.cli.plugin_commands import open_registry
from agent_gateway.config import Configuration, suggest
from agent_gateway.errors import GatewayError, InvalidInput, NotFound
from agent_gateway.tool import Decision, Tool, Verdict

#: The argument that a plain text stands for.
_COMMAND = "command"
_WORDS: Mapping[Decision, Literal["read", "approve", "deny"]] = {"allow": "read", "ask": "approve", "deny": "deny"}
_READS = "It only reads."
_NO_CALL = "The line is no call: it must be a JSON string or a JSON object."


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a call; `reason` is one sentence."""

    decision: Literal["read", "approve", "deny"]
    reason: str


def explain_call(name: str, call: str, configuration: Configuration, *, as_json: bool) -> None:
    """Explain one call: a command, or arguments as JSON. `NotFound` for no such tool, `InvalidInput` for no call."""
    if not call.strip():
        raise InvalidInput("there is no call to explain", hint="give a command, or --stdin")
    tool = find_tool(name, configuration)
    given = _decode(call.encode(errors="surrogateescape")) if call.lstrip().startswith("{") else call
    found = explain_given(tool, given)
    output = Output(as_json=as_json)
    if as_json:
        output.document(found)
    else:
        output.text(_told(found))


def explain_lines(name: str, call: str, configuration: Configuration, *, as_json: bool) -> None:
    """Explain every line of standard input with one line, in order and at once."""
    if call:
        raise InvalidInput("a call and --stdin are two sources", hint="leave one of them out")
    tool = find_tool(name, configuration)
    output = Output(as_json=as_json)
    for line in sys.stdin.buffer:
        found = explain_given(tool, _decode(line))
        if as_json:
            output.record(found)
        else:
            output.text(_told(found))


def find_tool(name: str, configuration: Configuration) -> Tool:
    """The tool of a name; `NotFound`."""
    tools = open_registry(configuration).tools
    if name not in tools:
        raise NotFound(f"there is no tool '{name}'", code="tool_not_found", hint=suggest(name, list(tools)))
    return tools[name]


def explain_given(tool: Tool, given: Any) -> Explanation:
    """Explain a call with arguments, or with a text when the tool takes a command; whatever else is denied."""
    verdict = _judge(tool, given)
    return Explanation(decision=_WORDS[verdict.decision], reason=verdict.reason or _READS)


def _judge(tool: Tool, given: Any) -> Verdict:
    if isinstance(given, str) and _COMMAND in tool.arguments.__struct_fields__:
        given = {_COMMAND: given}
    if not isinstance(given, dict):
        return Verdict(decision="deny", reason=_NO_CALL)
    try:
        msgspec.convert(given, tool.arguments)
        return tool.judge_call(given)
    except msgspec.ValidationError as error:
        return Verdict(decision="deny", reason=f"The arguments do not fit: {error}.")
    except GatewayError as error:
        return Verdict(decision="deny", reason=error.detail)


def _decode(line: bytes) -> Any:
    """What a line holds, None when it is no JSON."""
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return None


def _told(found: Explanation) -> str:
    return f"{found.decision}: {found.reason}"
