"""Keeps from the user what may be a tool call that a model writes as text, until it is clear what it is."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from agent_gateway.graph.writing.loose_json import find_values
from agent_gateway.graph.writing.tool_protocol import ProposedCall, read_wrapped_answer, read_written_calls

_MARKERS = ("<tool_call>", "<function", "<|python_tag|>", "<|tool_call|>", "[TOOL_CALLS]", "[tool_calls]")
_LANGUAGES = frozenset({"", "json", "tool_call", "tool_code", "tool"})
_FENCE = re.compile(r"```([^\n`]*)(\n\s*)?")
_KEY = re.compile(r"\[?\s*\{\s*[\"']?([\w-]*)([\"':]?)")
_KEYS = frozenset(
    "action answer tool tool_name name function function_name type id tool_calls calls arguments parameters".split()
)
#: A call is not longer than this.
_LONGEST = 8000


@dataclass(frozen=True)
class Rest:
    """What was held back to the end: text to be shown, or calls, or (`broken`) a call that cannot be read."""

    text: str = ""
    calls: tuple[ProposedCall, ...] = ()
    broken: bool = False


class CallScreen:
    """A filter of one reply of a model that was offered tools of these names. A call begins a line, or the reply."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._held = ""
        self._line_begins = True

    def feed(self, text: str) -> str:
        """What may be shown by now."""
        if not self._held and not self._line_begins and "\n" not in text:
            return text
        self._held += text
        shown: list[str] = []
        while self._held:
            if self._line_begins:
                if len(self._held) <= _LONGEST and self._may_be_call(self._held.lstrip()):
                    break
                self._line_begins = False
            line, newline, rest = self._held.partition("\n")
            shown.append(line + newline)
            self._held, self._line_begins = rest, bool(newline)
        return "".join(shown)

    def finish(self) -> Rest:
        """The reply is over: what was held back is text to be shown, or calls."""
        held, self._held = self._held, ""
        if calls := read_written_calls(held, self._names):
            return Rest(calls=calls)
        if answer := read_wrapped_answer(held):
            return Rest(answer)
        broken = self._line_begins and any(name in held for name in self._names) and not any(find_values(held))
        return Rest(broken=True) if broken else Rest(held)

    def _may_be_call(self, line: str) -> bool:
        """Whether what begins here is a call, or too short to tell."""
        if any(line.startswith(marker) or marker.startswith(line) for marker in _MARKERS):
            return True
        if line.startswith("`"):
            return self._fence_may_be_call(line)
        if line.startswith(("{", "[")):
            return self._object_may_be_call(line)
        return not line

    def _fence_may_be_call(self, line: str) -> bool:
        fence = _FENCE.match(line)
        if fence is None:
            return "```".startswith(line)
        if fence[2] is None:
            return any(each.startswith(fence[1].strip().lower()) for each in _LANGUAGES)
        body = line[fence.end() :]
        return fence[1].strip().lower() in _LANGUAGES and (not body or self._object_may_be_call(body))

    def _object_may_be_call(self, text: str) -> bool:
        """Whether the first key is one of a call's, or may still become one."""
        key = _KEY.match(text)
        if key is None:
            return not text.lstrip("[").strip()
        if not key[2]:
            return any(each.startswith(key[1]) for each in (*_KEYS, *self._names))
        return key[1] in _KEYS or key[1] in self._names
