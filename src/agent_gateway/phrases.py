"""Phrases of plain language that a tool recognizes: each covers a whole request, or does not fit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import count

from agent_gateway.plain_names import NAME, is_order, read_name

#: A request with more words is no plain one.
MOST_WORDS = 40
_SLOT = re.compile(r"[A-Z][A-Z0-9_]*")
_GROUP = re.compile(r"\(\?P<(\w+)>")
_BRACKETS = {"[": "]", "(": ")"}


class Phrases:
    """A list of phrases, one a line, and what its slots take.

    `[x]` may be missing, `(x|y)` is one of them, `(x|y)*` any number of them; outside of brackets `x|y` chooses
    between single words. A word in capitals is a slot: `slots` gives its regular expression, which may have named
    groups; of several with one name, the first that took something counts. A group called `name`, or whose name ends
    so, takes what may be meant as the name of a thing, without its quotes. Every word of a request must be covered.
    """

    #: A name, perhaps quoted, as a regular expression: `{"APP": rf"(?P<name>{Phrases.NAME})"}` is a slot for one.
    NAME = NAME

    def __init__(self, text: str, slots: Mapping[str, str] | None = None) -> None:
        self._lines = [line.strip() for line in text.splitlines() if line.strip()]
        self._slots = dict(slots or {})

    def match(self, words: str) -> dict[str, str] | None:
        """The groups that the first fitting phrase has filled, or None when none fits. `words` have single spaces."""
        return next(self.matches(words), None)

    def matches(self, words: str) -> Iterator[dict[str, str]]:
        """The same for each phrase that fits, in their order: a name may turn out to be none."""
        if words.count(" ") >= MOST_WORDS:
            return
        for pattern in self._patterns:
            if found := pattern.fullmatch(f"{words} "):
                parts = read_groups(found)
                if all(parts.values()) and not is_order(parts.get("name", ""), words):
                    yield parts

    @cached_property
    def _patterns(self) -> list[re.Pattern[str]]:
        """Compiled when the first request comes; most processes never see one."""
        return [re.compile(number_groups(self._sequence(line))) for line in self._lines]

    def _sequence(self, text: str) -> str:
        return "".join(self._item(item) for item in _items(text))

    def _item(self, item: str) -> str:
        if item[0] not in _BRACKETS:
            return self._choice(item.split("|"))
        body, _, sign = item[1:].rpartition(_BRACKETS[item[0]])
        return self._choice(_split(body)) + ("?" if item[0] == "[" else sign)

    def _choice(self, options: list[str]) -> str:
        """One of the options, each of which is a word or a sequence; every word ends with its space."""
        return f"(?:{'|'.join(self._option(each) for each in options)})"

    def _option(self, option: str) -> str:
        if " " in option.strip() or option.strip()[:1] in _BRACKETS:
            return self._sequence(option)
        word = option.strip()
        # An empty option is taken for nothing at all.
        if not word:
            return ""
        return f"(?:{self._slots[word]}) " if _SLOT.fullmatch(word) else f"{re.escape(word)} "


def read_groups(found: re.Match[str]) -> dict[str, str]:
    """What the groups of a numbered pattern have taken; a name that is none is empty."""
    filled = [(name.rpartition("__")[0], value) for name, value in found.groupdict().items() if value]
    return {name: read_name(value) if name.endswith("name") else value for name, value in reversed(filled)}


def number_groups(pattern: str) -> str:
    """Names of groups are made unique: `re` takes each only once."""
    numbers = count()
    return _GROUP.sub(lambda found: f"(?P<{found[1]}__{next(numbers)}>", pattern)


def _items(text: str) -> Iterator[str]:
    """Words, and groups with their brackets and what follows those."""
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        end = _end_of_group(text, position) if text[position] in _BRACKETS else position
        while end < len(text) and not text[end].isspace() and text[end] not in _BRACKETS:
            end += 1
        yield text[position:end]
        position = end


def _end_of_group(text: str, start: int) -> int:
    depth = 0
    for position in range(start, len(text)):
        depth += (text[position] in "[(") - (text[position] in "])")
        if depth == 0:
            return position + 1
    raise ValueError(f"a bracket is not closed: {text}")


def _split(text: str) -> list[str]:
    """Split at the bars that are in no further bracket."""
    parts, depth = [""], 0
    for char in text:
        depth += (char in "[(") - (char in "])")
        if char == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts
