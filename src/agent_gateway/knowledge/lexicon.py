"""Text to index terms: lower-cased, compound-aware, stemmed.

`HelmRelease`, `group_wait` and `spec.timeout` are indexed whole and by their parts, so that both the identifier and a
description of it are found.
"""

from __future__ import annotations

import re
from functools import lru_cache

import Stemmer

_WORD = re.compile(r"[^\W_]+(?:[._/:-][^\W_]+)*")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
#: Longer words are cut: they are data, and the cache below must not be filled with megabytes.
LONGEST_WORD = 128
#: The most frequent words stay expanded; questions bring new ones for ever.
WORDS_KEPT = 8192
_STEMMER = Stemmer.Stemmer("english")

#: Words that say nothing about what is asked; question words are among them.
STOP_WORDS = frozenset(
    """a about again all also am an and any are as at be because been being but by can cannot could did do does doing
    don done each for from further had has have having he her here him his how i if im in into is isn it its itself
    just let ll me more most much my no nor not now of off on once only or other our out over own please pls re s same
    shall she should so some such t tell than thank thanks that the their them then there these they thing this those
    through to too under until up us use used using ve very want was way we were what whats when where whether which
    while who whom why will with would you your""".split()
)


@lru_cache(maxsize=WORDS_KEPT)
def _expand(word: str) -> tuple[str, ...]:
    if not word.isascii():
        # Other alphabets: where a name changes case there is no telling, and the stemmer leaves them alone.
        return (_STEMMER.stemWord(word.lower()),)
    parts = [part.lower() for part in _PART.findall(word)]
    stems = tuple(_STEMMER.stemWord(part) for part in parts if part not in STOP_WORDS)
    whole = word.lower()
    if len(parts) > 1:
        return (whole, *stems)
    return stems


def terms(text: str) -> list[str]:
    """The index terms of a text, in order, with repetitions; stop words are left out."""
    found: list[str] = []
    for match in _WORD.finditer(text):
        found.extend(_expand(match.group()[:LONGEST_WORD]))
    return found
