"""The gist of a request: told by what it must hold, in any order, when every other word says nothing by itself."""

from __future__ import annotations

import re
from functools import cached_property

from agent_gateway.phrases import MOST_WORDS, number_groups, read_groups
from agent_gateway.plain_names import read_name

#: Words that only hold a question together.
_FILLERS = frozenset(
    """show what which there is are was were be been being do does did has have had can could you we i me us our my
    their of for from on in by to at with within inside across that any all some every each current present given
    exist exists existing run runs running live lives available defined configured deployed belong belongs belonging
    see seen got get gets getting found tell give look looks looking list namespace service app application the so
    total overall whole entire know""".split()
)
#: How many words before what is counted or measured.
_COMPOUND = re.compile(
    r"(?<!\S)(?:how (?:many|much|high|often|big|large)|(?:a|an|full|short|quick) (?:list|overview) of)(?!\S)"
)
_ASKING = re.compile(r"(?:show|list|what|which|how|is|are|was|were|do|does|did|has|have|had|any|can|could|in what)\b")
_FINITE = re.compile(r"(?<!\S)(?:is|are|was|were|has|have|had|does|do|did|can|could)(?!\S)")
_OWNING = re.compile(r"(?:of|for|about|behind) (?:the )?\|")
#: Somebody tells something.
_TELLING = re.compile(r"(?:i|we|you|they|he|she|it|there|this|that)\b")
#: What stands before the name of a thing.
_BEFORE_NAME = frozenset(
    """of for from on by to with about does did is are was has have do service app application show called named
    behind""".split()
)

#: And of a place, which is another thing.
_BEFORE_PLACE = frozenset({"in", "at", "within", "inside", "across"})


class Gist:
    """What a request must hold.

    `needs` are regular expressions of which each must be found once; of `takes` each may be. Their named groups are
    what is read; a group called `name`, or whose name ends so, must be the name of a thing. `named`: one more word is
    left, which is the name. `fillers` are words that say nothing more beside these.
    """

    def __init__(self, *needs: str, takes: tuple[str, ...] = (), fillers: str = "", named: bool = False) -> None:
        self._sources = (needs, takes)
        self._fillers = _FILLERS | frozenset(fillers.split())
        self._named = named

    def read(self, words: str) -> dict[str, str] | None:
        """What the groups have taken, or None when something is missing, or a word is left that nothing explains."""
        if words.count(" ") >= MOST_WORDS or not _is_asked(words):
            return None
        parts: dict[str, str] = {}
        rest = _COMPOUND.sub(" ", words)
        for needed, patterns in zip((True, False), self._patterns, strict=True):
            for pattern in patterns:
                found = _find(pattern, rest)
                if found is None and needed:
                    return None
                if found is not None:
                    rest = f"{rest[: found.start()]} | {rest[found.end() :]}"
                    parts.update(read_groups(found))
        return self._explain(rest.split(), parts)

    @cached_property
    def _patterns(self) -> tuple[list[re.Pattern[str]], ...]:
        """Compiled when the first request comes."""
        return tuple(
            [re.compile(number_groups(rf"(?<!\S)(?:{each})(?!\S)")) for each in group] for group in self._sources
        )

    def _explain(self, words: list[str], parts: dict[str, str]) -> dict[str, str] | None:
        """The parts, with the name when one is sought, if the words that are left say nothing more."""
        left = [(place, word) for place, word in enumerate(words) if word != "|" and word not in self._fillers]
        if not self._named or "name" in parts:
            return None if left else parts
        if len(left) != 1:
            return None
        place, word = left[0]
        before = words[place - 1] if place else "show"
        name = read_name(word)
        # A word behind what is asked for would be a part of that ("error rate alarms"), and so would one that has it
        # ("the retention of logs").
        if _OWNING.match(" ".join(words[place + 1 :])):
            return None
        if not name or before in _BEFORE_PLACE or not (before in _BEFORE_NAME or re.search(r"[-\d]", word)):
            return None
        return {**parts, "name": name}


def _is_asked(words: str) -> bool:
    """Whether it is a question, or names a thing without saying anything about it."""
    return bool(_ASKING.match(words)) or not (_FINITE.search(words) or _TELLING.match(words))


def _find(pattern: re.Pattern[str], words: str) -> re.Match[str] | None:
    """The one place where a pattern fits; a name in it must be one."""
    found = [each for each in pattern.finditer(words) if all(read_groups(each).values())]
    return found[0] if len(found) == 1 else None
