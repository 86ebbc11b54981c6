"""The conversation as a model is shown it: the last exchanges word for word, earlier ones in a line each."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent_gateway.messages import Exchange

#: So many exchanges are shown word for word; of those before, so many in a line each.
RECENT = 4
OLDER = 12
_LONGEST_QUESTION = 120
_LONGEST_SENTENCE = 200
_SENTENCE = re.compile(r".+?[.!?](?=\s|$)", re.DOTALL)
#: The numbers of an earlier answer's passages mean others now.
_MARK = re.compile(r" ?\[\d{1,3}(?:\s*[,;]\s*\d{1,3})*\](?!\()")


def recent(history: Sequence[Exchange]) -> tuple[Exchange, ...]:
    """The exchanges that are shown word for word, oldest first."""
    return tuple(history[-RECENT:])


def older(history: Sequence[Exchange]) -> tuple[Exchange, ...]:
    """The exchanges before those, oldest first."""
    return tuple(history[:-RECENT][-OLDER:])


def digest(exchange: Exchange) -> str:
    """One exchange in a line: the question, cut, and the first sentence of the answer."""
    answer = " ".join(unmark(exchange.response).split())
    found = _SENTENCE.match(answer)
    sentence = _cut(found[0] if found else answer, _LONGEST_SENTENCE)
    return f"- asked: {_cut(' '.join(exchange.message.split()), _LONGEST_QUESTION)} - answered: {sentence}"


def unmark(answer: str) -> str:
    """An earlier answer without its citation marks."""
    return _MARK.sub("", answer)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3].rstrip()}..."
