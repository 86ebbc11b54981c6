"""The gist of a request: told by what it must hold, in any order, when every other word says nothing by itself."""

from __future__ import annotations

import re
from functools import cached_property

from agent_gateway.phrases import MOST_WORDS, number_groups, read_groups
from agent_gateway.plain_names import gives_order, read_name

#: Words that only hold a question together.
_FILLERS = frozenset(
    """show what which there is are was were be been being do does did has have had having can could you i we it its me
    us my our their they them these those the so a an of for from on in by to at as with within inside across through
    throughout behind about regarding concerning like that any anything some something all every everything each
    current currently present given latest existing exist exists run running runs live lives available defined
    configured deployed belong belongs belonging around here just only yet now also please
    see seen got get gets getting found tell give look looks looking list print display fetch pull dump output check
    how whether let want need know come comes going happen happens happened happening recently lately
    namespace service app application kubernetes total overall whole entire""".split()
)
#: How many words before what is counted or measured.
_COMPOUND = re.compile(
    r"(?<!\S)(?:how (?:many|much|high|often|big|large)|(?:a|an|full|short|quick) (?:list|overview) of)(?!\S)"
)
_ASKING = re.compile(r"(?:show|list|what|which|how|is|are|was|were|do|does|did|has|have|had|any|can|could|in what)\b")
_ASKED_INSIDE = re.compile(r"(?<!\S)(?:what|which|how|show|list|give|whether|if)(?!\S)")
_FINITE = re.compile(r"(?<!\S)(?:is|are|was|were|has|have|had|does|do|did|can|could)(?!\S)")
_MARKS = re.compile(r"[,;:?!.]+(?=\s|\Z)|(?<!\S)-(?=\s)")
_OWNING = re.compile(r"(?:of|for|about|behind) (?:the )?\|")
#: Somebody tells something.
_TELLING = re.compile(r"(?:i|we|you|they|he|she|it|there|this|that)\b")
#: What stands before the name of a thing.
_BEFORE_NAME = frozenset(
    """of for from on by to with about does did is are was has have do service app application show called named
    behind through hit hits hitting reach reaches reaching against was were can could""".split()
)

#: What stands behind the name of a thing that does or has something.
_AFTER_NAME = frozenset(
    """uses use using used consumes consume consuming eats eat burns burn needs need takes take has had have is was does
    did gets get got serves serve handles handle receives sees returns return throws throw responds prints print logs
    log logged writes wrote printed requests request calls responses pods pod container containers service app
    application deployment""".split()
)

#: "A java app" is none in particular.
_INDEFINITE = frozenset({"a", "an", "any", "some", "every", "each"})
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

    def read(self, words: str, *, asked: bool = False, terse: bool = False) -> dict[str, str] | None:
        """What the groups have taken, or None when something is missing, or a word is left that nothing explains.

        `asked`: a question mark stood behind the words, whatever their order. `terse`: what is sought and a name, with
        no word between them, is enough.
        """
        if words.count(" ") >= MOST_WORDS or gives_order(words) or not (asked or _is_asked(words)):
            return None
        words = _MARKS.sub("", words)
        parts: dict[str, str] = {}
        rest = _COMPOUND.sub(" ", words)
        for needed, patterns in zip((True, False), self._patterns, strict=True):
            for pattern in patterns:
                found = _find(pattern, rest)
                if found is None and needed:
                    return None
                if found is None:
                    continue
                parts.update(read_groups(found))
                rest = f"{rest[: found.start()]} | {rest[found.end() :]}"
                if not pattern.groups:
                    # What reads nothing may be said twice.
                    rest = pattern.sub(" ", rest)
        return self._explain(rest.split(), parts, terse=terse)

    @cached_property
    def _patterns(self) -> tuple[list[re.Pattern[str]], ...]:
        """Compiled when the first request comes."""
        return tuple(
            [re.compile(number_groups(rf"(?<!\S)(?:{each})(?!\S)")) for each in group] for group in self._sources
        )

    def _explain(self, words: list[str], parts: dict[str, str], *, terse: bool) -> dict[str, str] | None:
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
        behind = words[place + 1] if place + 1 < len(words) else ""
        placed = before in _BEFORE_NAME or behind in _AFTER_NAME or bool(re.search(r"[-\d]", word))
        placed = placed or (terse and words in (["|", word], ["show", "|", word]))
        if not name or before in _BEFORE_PLACE | _INDEFINITE or not placed:
            return None
        return {**parts, "name": name}


def _is_asked(words: str) -> bool:
    """Whether it is a question, or names a thing without saying anything about it."""
    return bool(_ASKING.match(words) or _ASKED_INSIDE.search(words)) or not (
        _FINITE.search(words) or _TELLING.match(words)
    )


def _find(pattern: re.Pattern[str], words: str) -> re.Match[str] | None:
    """Where a pattern fits: one place, if it reads something; a name in it must be one."""
    if not pattern.groups:
        return pattern.search(words)
    found = [each for each in pattern.finditer(words) if all(read_groups(each).values())]
    return found[0] if len(found) == 1 else None
