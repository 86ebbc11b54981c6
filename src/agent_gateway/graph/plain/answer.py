"""How a call that no model made, and what came of it, is told. Output is untrusted: nothing of it becomes Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from agent_gateway.approval import Approval
from agent_gateway.graph.plain.choice import Choice
from agent_gateway.tool import ToolCall, ToolResult

_TICKS = re.compile(r"`+")
#: Control characters but tab and newline; terminals act on them.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SHORTEST_FENCE = 3
#: Arguments whose value is a line of its tool's language, and tells everything.
_LANGUAGES = ("command", "query")
_LONGEST_VALUE = 200


def tell_call(name: str, arguments: Mapping[str, Any]) -> str:
    """One line saying which call was made, or is to be made."""
    shown = {key: value for key, value in arguments.items() if value not in ("", None, False)}
    language = next((shown.pop(each) for each in _LANGUAGES if each in shown), "")
    rest = ", ".join(f"{key} {code(_short(value))}" for key, value in shown.items())
    if language:
        return code(str(language)) + (f" ({rest})" if rest else "")
    return f"`{name}`" + (f" with {rest}" if rest else "")


def tell_result(call: ToolCall, result: ToolResult, approval: Approval | None = None) -> str:
    """What a call came to: the call and its output, or in one sentence why there is none, or what a human must decide.

    `approval` is the one that the call waits for.
    """
    told = tell_call(call.name, call.arguments)
    match result.status:
        case "ok":
            return f"{told}\n\n{fence(result.text)}{_cut(result)}"
        case "waiting":
            return tell_waiting(told, result, approval)
        case "refused":
            return f"{told} was refused: {code(_sentence(result.text))}"
    return f"{told} failed: {code(_sentence(result.text))}"


def tell_waiting(told: str, result: ToolResult, approval: Approval | None) -> str:
    """What is asked of a human, and how they decide."""
    number = result.approval or (approval.id if approval is not None else "")
    parts = [f"{told} waits for a decision; nothing was changed."]
    if approval is not None:
        parts.append(f"It would do this: {code(_sentence(approval.summary))}")
        if approval.reason:
            parts.append(f"A human is asked because: {code(_sentence(approval.reason))}")
        if approval.diff:
            parts.append(fence(approval.diff, "diff"))
    expiry = f" It expires at {approval.expires_at}." if approval is not None else ""
    parts.append(
        f"Decide with `agent-gateway approvals approve {number}`, or `agent-gateway approvals reject {number}`.{expiry}"
    )
    return "\n\n".join(parts)


def tell_choice(choice: Choice) -> str:
    """What to answer when a plain request led to no call."""
    match choice.outcome:
        case "missing":
            also = _listed("It could also be meant like this:", choice.offers)
            return f"I understood: {choice.meaning}. Name {choice.missing}.{also}"
        case "unsure":
            return f"I am not sure what is meant, so I did nothing.{_listed('I could:', choice.offers)}"
        case "nothing":
            return _listed(
                "No model is there to work this out. What I can do when asked plainly:", choice.offers
            ).strip()
    return f"I understood: {choice.meaning}."


def fence(text: str, language: str = "") -> str:
    """A code block that nothing in the text can end."""
    shown = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).rstrip("\n")
    marks = "`" * max(_SHORTEST_FENCE, _longest_run(shown) + 1)
    return f"{marks}{language}\n{shown or '(no output)'}\n{marks}"


def code(text: str) -> str:
    """The text as code within a line."""
    shown = " ".join(_CONTROL.sub(" ", text).split())
    if not shown:
        return "``"
    marks = "`" * (_longest_run(shown) + 1)
    # A back-tick at an end would belong to the marks.
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{marks}{space}{shown}{space}{marks}"


def _longest_run(text: str) -> int:
    return max((len(each) for each in _TICKS.findall(text)), default=0)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _sentence(text: str) -> str:
    return " ".join(text.split()) or "no reason was given"


def _cut(result: ToolResult) -> str:
    if not result.more:
        return ""
    pages = f"page 1 of {result.pages}" if result.pages else "only the beginning"
    return f"\n\nThis is {pages} of the output. Ask for less at once to see the rest: name an object or a shorter time."


def _listed(opening: str, offers: tuple[str, ...]) -> str:
    if not offers:
        return ""
    return f"\n\n{opening}\n\n" + "\n".join(f"- {each}" for each in offers)
