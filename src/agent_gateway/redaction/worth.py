"""Whether the value of a telling name is a secret, or a word, a reference, a placeholder or a name."""

from __future__ import annotations

import re

from agent_gateway.redaction.names import Telling

_NO_SECRET = frozenset(
    "true false yes no on off null none nil undefined unset empty string str bytes text object required optional"
    " enabled disabled redacted hidden masked default eof n/a secretkeyref valuefrom".split()
)
#: References to a secret that is elsewhere, placeholders, and what is hidden already.
_ELSEWHERE = re.compile(
    r"\\*\$|[<*•\u2026]|\{\{|%[({]|\[{1,3}redacted|\(hidden|\.{3}|[xX]{4,}$|ENC\[|op://|vault:|ref\+|secretref:"
    r"|(?:self|os|env|var|data|local|module|settings|config|process|secrets|values|context|args|request|ctx)\.[a-z_]"
    r"|[A-Za-z_][\w.]*\((?:[^)]*\)?)$|[A-Za-z_][\w.]*\["
)
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,_]*(?:ms|[smhdkMG]i?)?")
_WORD = re.compile(r"[A-Za-z]?[a-z]*|[A-Z]+")
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")
#: What objects in a cluster are called.
_OBJECT_NAME = re.compile(r"[a-z0-9](?:[a-z0-9./-]*[a-z0-9])?")
_RANDOM_PART = re.compile(r"(?=[a-z]*[0-9][a-z]*[0-9])(?=[0-9]*[a-z])[a-z0-9]{12,}")
_PROSE = frozenset(
    "a an and are as at be been by can do does for from had has have if in into is it its may must new not of on or see"
    " should so that the then there these they this to use used uses using was were when which will with you your".split()  # noqa: E501 - a pattern is easier to read in one line
)
_LEAST = {Telling.SURE: 3, Telling.TOKEN: 6, Telling.VAGUE: 6}
_ENOUGH_DIGITS = 4


def is_secret_value(telling: Telling, value: str) -> bool:
    """Tell whether a value is a secret, given how telling its name is."""
    value = value.strip()
    if telling is Telling.NOTHING or len(value) < _LEAST[telling]:
        return False
    if value.lower() in _NO_SECRET or _ELSEWHERE.match(value):
        return False
    if _NUMBER.fullmatch(value):
        return telling is Telling.SURE and sum(map(str.isdigit, value)) >= _ENOUGH_DIGITS
    if telling is Telling.SURE:
        return not (is_prose(value) or value.startswith(("/", "./", "~/")))
    if _WORD.fullmatch(value) or is_prose(value) or value.startswith(("/", "http://", "https://")):
        return False
    if telling is Telling.TOKEN:
        return bool(_DIGIT.search(value)) or not _OBJECT_NAME.fullmatch(value)
    return _is_random(value)


def is_prose(value: str) -> bool:
    """Tell a sentence from a phrase of random words: it has the little words."""
    words = value.lower().split()
    return len(words) > 1 and not _PROSE.isdisjoint(word.strip(".,:;!?()") for word in words)


def _is_random(value: str) -> bool:
    """Tell what is no object's name, nor words."""
    if " " in value:
        return False
    if not _OBJECT_NAME.fullmatch(value):
        return _has_both(value)
    if any(mark in value for mark in "-./"):
        return any(_RANDOM_PART.fullmatch(part) for part in re.split(r"[-./]", value))
    return _has_both(value)


def _has_both(value: str) -> bool:
    return bool(_DIGIT.search(value) and _LETTER.search(value))
