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
_NAME_AFTER = re.compile(rf"[A-Za-z0-9_.-]{{0,{_REACH}}}")
_NAME_BEFORE = re.compile(r"[A-Za-z0-9_.-]*\Z")
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
_GLUE = re.compile(r"\s{0,80}[+.]?\s{0,80}(?:\\\r?\n[ \t]*)?(?=[bBrRuUfF]{0,2}[\"'`])")
_BLOCK = re.compile(r"[|>][+-]?[0-9]?[+-]?[ \t]*(?:#[^\n]*)?\r?\n")
_NEXT_LINE = re.compile(r"[ \t]*\r?\n([ \t]+)([^\s:#\[{-][^\s]*)[ \t]*(?=\r?\n|\Z)")
_LIST = re.compile(rf"\[([^\[\]{{}}]{{1,{_LONGEST}}})\]")
_ITEM = re.compile(r"[^\s,\"'`]+")
_LINE = re.compile(r"[^\r\n]*")
_WHOLE = re.compile(r"[^\s\"'`<>]+")
_BARE = re.compile(r"[^\s\"'`<>,;&|{}()\[\]\\]+")


def find_assigned(text: str, lower: str) -> Iterator[Span]:
    """Yield the values that their names tell to be secrets; `lower` is the text in small letters, as long as it."""
    for start, end in _names(text, lower):
        telling = judge_name(text[start:end])
        if telling is not Telling.NOTHING:
            yield from _values(text, (start, end), telling)


_PAIR = re.compile(
    r"""\bname\\{0,3}["']?[ \t]{0,8}:[ \t]{0,8}\\{0,3}["']?([a-z0-9_.-]{2,64})\\{0,3}["']?,?\s{1,80}"""
    r"""\\{0,3}["']?(value)(?=\\{0,3}["']?[ \t]{0,8}:)""",
)


def find_named_pairs(text: str, lower: str) -> Iterator[Span]:
    """Yield the values of `name: DB_PASSWORD` with its `value: ...` behind it, as containers have them."""
    for found in _PAIR.finditer(lower) if "value" in lower else ():
        telling = judge_name(text[found.start(1) : found.end(1)])
        if telling is not Telling.NOTHING:
            yield from _values(text, found.span(2), telling)


def _names(text: str, lower: str) -> Iterator[Span]:
    """Yield the names that hold a telling word, each once."""
    seen: set[int] = set()
    for hint in HINTS:
        at = lower.find(hint)
        while at >= 0:
            found = _NAME_AFTER.match(text, at + len(hint))
            end = found.end() if found else at + len(hint)
            if end not in seen:
                seen.add(end)
                before = _NAME_BEFORE.search(text[max(0, at - _REACH) : at])
                yield at - (len(before[0]) if before else 0), end
            at = lower.find(hint, end)


def _values(text: str, name: Span, telling: Telling) -> Iterator[Span]:
    separator = _SEPARATOR.match(text, name[1])
    if separator is None and text.startswith("-", name[0]):
        separator = _AFTER_FLAG.match(text, name[1])
    if separator is None:
        return
    spans = list(_spans(text, name, separator))
    if is_secret_value(telling, "".join(text[start:end] for start, end in spans)):
        yield from spans


def _spans(text: str, name: Span, separator: re.Match[str]) -> Iterator[Span]:
    """Yield the pieces of a value that begins behind the separator."""
    at = separator.end()
    quoted = _QUOTED.match(text, at) or _ESCAPED.match(text, at)
    if quoted is not None:
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
        yield from _unquoted(text, name, separator)


def _closes(text: str, name: Span, at: int) -> bool:
    """Tell whether the quote here ends a text that the name is in, as in `ask("password: ")`."""
    before = text[max(text.rfind("\n", 0, name[0]) + 1, name[0] - _NEARBY) : name[0]]
    return before.count(text[at]) % 2 == 1 and text[name[1]] != text[at]


def _pieces(text: str, at: int) -> Iterator[Span]:
    """Yield the insides of quoted pieces that are put together."""
    while True:
        found = _QUOTED.match(text, at) or _ESCAPED.match(text, at)
        if found is None:
            return
        group = found.lastindex or 0
        yield found.span(group)
        glue = _GLUE.match(text, found.end())
        if glue is None:
            return
        at = glue.end()


def _unquoted(text: str, name: Span, separator: re.Match[str]) -> Iterator[Span]:
    at = separator.end()
    line = text[text.rfind("\n", 0, name[0]) + 1 : name[0]].strip(" \t-+>#")
    leads = line in {"", "export", "set", "ENV", "ARG", '"', "'"}
    rest = _LINE.match(text, at)
    if leads and rest is not None and ":" in separator[0]:
        # The value of a line of YAML, or of a description: all of the line, but no comment.
        value = rest[0].split(" #")[0].rstrip(" \t,")
        if value and not set(value) & set("\"'`<>{}"):
            yield at, at + len(value)
            return
    found = (_WHOLE if leads else _BARE).match(text, at)
    if found is not None and not text.startswith("(", found.end()):
        yield found.span()


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
