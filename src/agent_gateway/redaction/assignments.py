"""Values of telling names: in environments, YAML, JSON, INI, connection strings, and on command lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent_gateway.redaction.names import HINTS, Telling, judge_name
from agent_gateway.redaction.tokens import Span
from agent_gateway.redaction.worth import is_secret_value

#: Longer than any name.
_REACH = 64
#: So far back a quote is looked for.
_NEARBY = 200
#: Longer than any value between quotes that may be a secret.
_LONGEST = 8192
#: So much of a value tells whether it is a secret; where it ends is another question.
_TELLING = 512
#: So many pieces of a value that is put together are read one by one; longer ones are found as what they say together.
_PIECES = 40
_HINT = re.compile("|".join(HINTS))
_NAME_AFTER = re.compile(rf"[A-Za-z0-9_.-]{{0,{_REACH}}}")
_NAME_BEFORE = re.compile(r"[A-Za-z0-9_.-]*\Z")
#: What a line may have before the name of its value.
_LEADS = frozenset(("", "export", "set", "ENV", "ARG", '"', "'"))
_SEPARATOR = re.compile(
    r"""\\{0,3}(?:["'`]\]?)?[ \t]{0,40}(?:=>|:=|\?=|===?|=|:)[ \t]{0,200}"""
    r"""(?:(?:str|string|bytes|String)[ \t]{1,4}=[ \t]{0,4})?(?:!\S{1,40}[ \t]{1,4})?"""
)
_AFTER_FLAG = re.compile(r"(?:[ \t]{1,8}|[ \t]*\\\r?\n[ \t]*)(?=[^\s-])")
_QUOTED = re.compile(
    rf"""[bBrRuUfF]{{0,2}}(?:"((?:[^"\\]|\\.){{0,{_LONGEST}}})"|'((?:[^'\\]|\\.){{0,{_LONGEST}}})'|`([^`]{{0,{_LONGEST}}})`)""",
    re.DOTALL,
)
_ESCAPED = re.compile(rf"""(\\{{1,3}}["'])((?:(?!\1).){{0,{_LONGEST}}}?)\1""", re.DOTALL)
_GLUE = re.compile(r"\s{0,80}(?:[+.]\s{0,80})?(?:\\\r?\n[ \t]*)?(?=[bBrRuUfF]{0,2}[\"'`])")
_BLOCK = re.compile(r"[|>][+-]?[0-9]?[+-]?[ \t]*(?:#[^\n]*)?\r?\n")
_NEXT_LINE = re.compile(r"[ \t]*\r?\n([ \t]+)([^\s:#\[{-][^\s]*)[ \t]*(?=\r?\n|\Z)")
_LIST = re.compile(rf"\[([^\[\]{{}}]{{1,{_LONGEST}}})\]")
_ITEM = re.compile(r"[^\s,\"'`]+")
_LINE = re.compile(r"[^\r\n]*")
_WHOLE = re.compile(r"[^\s\"'`<>]+")
_BARE = re.compile(r"[^\s\"'`<>,;&|{}()\[\]\\]+")


def find_assigned(text: str, lower: str) -> Iterator[Span]:
    """Yield the values that their names tell to be secrets; `lower` is the text in small letters, as long as it."""
    values = _Values(text)
    for name in _names(text, lower):
        telling = judge_name(text[name[0] : name[1]])
        if telling is not Telling.NOTHING:
            yield from values.after(name, telling)


_PAIR = re.compile(
    r"""\bname\\{0,3}["']?[ \t]{0,8}:[ \t]{0,8}\\{0,3}["']?([a-z0-9_.-]{2,64})\\{0,3}["']?,?\s{1,80}"""
    r"""\\{0,3}["']?(value)(?=\\{0,3}["']?[ \t]{0,8}:)""",
)


def find_named_pairs(text: str, lower: str) -> Iterator[Span]:
    """Yield the values of `name: DB_PASSWORD` with its `value: ...` behind it, as containers have them."""
    values = _Values(text)
    for found in _PAIR.finditer(lower) if "value" in lower else ():
        telling = judge_name(text[found.start(1) : found.end(1)])
        if telling is not Telling.NOTHING:
            yield from values.after(found.span(2), telling)


def _names(text: str, lower: str) -> Iterator[Span]:
    """Yield the names that hold a telling word, each once, in their order."""
    hint = _HINT.search(lower)
    while hint is not None:
        at = hint.start()
        found = _NAME_AFTER.match(text, hint.end())
        end = found.end() if found else hint.end()
        before = _NAME_BEFORE.search(text[max(0, at - _REACH) : at])
        yield at - (len(before[0]) if before else 0), end
        hint = _HINT.search(lower, end)


class _Values:
    """The values of a text, for names in their order. Each stretch of it is read a few times at most.

    A name within a value that was found to be a secret is passed over; and where a value without quotes ends is looked
    for once, though many names may stand in it.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._done = 0
        #: What was read last by a pattern: from within it the same end is reached.
        self._runs: dict[re.Pattern[str], Span] = {}

    def after(self, name: Span, telling: Telling) -> Iterator[Span]:
        """Yield the pieces of the value of a name, when they are a secret."""
        separator = _SEPARATOR.match(self._text, name[1])
        if separator is None and self._text.startswith("-", name[0]):
            separator = _AFTER_FLAG.match(self._text, name[1])
        if separator is None or separator.end() < self._done:
            return
        spans = list(self._spans(name, separator))
        if spans and is_secret_value(telling, self._beginning(spans)):
            self._done = spans[-1][1]
            yield from spans

    def _beginning(self, spans: list[Span]) -> str:
        """So much of a value as tells whether it is a secret."""
        parts: list[str] = []
        left = _TELLING
        for start, end in spans:
            parts.append(self._text[start : min(end, start + left)])
            left -= len(parts[-1])
            if left <= 0:
                break
        return "".join(parts)

    def _spans(self, name: Span, separator: re.Match[str]) -> Iterator[Span]:
        """Yield the pieces of a value that begins behind the separator."""
        text, at = self._text, separator.end()
        if _QUOTED.match(text, at) or _ESCAPED.match(text, at):
            if not _closes(text, name, at):
                yield from _pieces(text, at)
        elif (block := _BLOCK.match(text, at)) is not None:
            yield from _indented(text, name[0], block.end())
        elif (below := _NEXT_LINE.match(text, at)) is not None:
            if len(below[1]) > _indent(text, name[0]):
                yield below.span(2)
        elif (items := _LIST.match(text, at)) is not None:
            yield from (item.span() for item in _ITEM.finditer(text, *items.span(1)))
        else:
            yield from self._unquoted(name, separator)

    def _unquoted(self, name: Span, separator: re.Match[str]) -> Iterator[Span]:
        text, at = self._text, separator.end()
        leads = _leads(text, name[0])
        if leads and ":" in separator[0] and (whole := _rest_of_line(text, at)):
            yield whole
            return
        end = self._reach(_WHOLE if leads else _BARE, at)
        if end > at and not text.startswith("(", end):
            yield at, end

    def _reach(self, pattern: re.Pattern[str], at: int) -> int:
        """Where what matches here ends; the same as for everything that begins within it."""
        start, end = self._runs.get(pattern, (0, 0))
        if not start <= at < end:
            found = pattern.match(self._text, at)
            end = found.end() if found else at
            self._runs[pattern] = (at, end)
        return end


def _leads(text: str, name: int) -> bool:
    """Tell whether nothing stands before a name on its line but signs, or the word of a command that sets it."""
    start = text.rfind("\n", max(0, name - _NEARBY), name) + 1
    if not start and name > _NEARBY:
        return False
    return text[start:name].strip(" \t-+>#") in _LEADS


def _rest_of_line(text: str, at: int) -> Span | None:
    """The value of a line of YAML, or of a description: all of the line, but no comment."""
    rest = _LINE.match(text, at)
    value = (rest[0] if rest else "").split(" #")[0].rstrip(" \t,")
    return (at, at + len(value)) if value and not set(value) & set("\"'`<>{}") else None


def _closes(text: str, name: Span, at: int) -> bool:
    """Tell whether the quote here ends a text that the name is in, as in `ask("password: ")`."""
    start = max(name[0] - _NEARBY, 0)
    before = text[max(text.rfind("\n", start, name[0]) + 1, start) : name[0]]
    return before.count(text[at]) % 2 == 1 and text[name[1]] != text[at]


def _pieces(text: str, at: int) -> Iterator[Span]:
    """Yield the insides of quoted pieces that are put together."""
    for _ in range(_PIECES):
        found = _QUOTED.match(text, at) or _ESCAPED.match(text, at)
        if found is None:
            return
        yield found.span(found.lastindex or 0)
        glue = _GLUE.match(text, found.end())
        if glue is None:
            return
        at = glue.end()


def _indented(text: str, name: int, at: int) -> Iterator[Span]:
    """Yield the lines from here that are deeper than the name's own."""
    indent = _indent(text, name)
    while at < len(text):
        found = _LINE.match(text, at)
        line = found[0] if found else ""
        inside = line.lstrip(" \t")
        if inside and len(line) - len(inside) <= indent:
            return
        if inside:
            yield at + len(line) - len(inside), at + len(line)
        at += len(line) + 1


def _indent(text: str, at: int) -> int:
    """How deep the line is that something is on."""
    start = text.rfind("\n", 0, at) + 1
    line = text[start:at]
    return len(line) - len(line.lstrip(" \t"))
