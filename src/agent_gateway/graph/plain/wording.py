"""The wording of a plain request: politeness goes, and every way of asking to see something becomes `show`."""

from __future__ import annotations

import re

_TYPOGRAPHY = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " ", "\u2013": "-", "\u2026": "."}
)
_SHORT = (
    (re.compile(r"\b(what|which|who|how|where|when|why|that|there|here|let)'?s\b(?!-)"), r"\1 is"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"\b(is|are|was|were|do|does|did|has|have|can|would|could|should)n't\b"), r"\1 not"),
    (re.compile(r"\bcan't\b"), "can not"),
    (re.compile(r"\blet is\b"), "let us"),
    (re.compile(r"\b(what|how|who|where)'?re\b"), r"\1 are"),
    (re.compile(r"\bi'd\b"), "i would"),
    (re.compile(r"\blemme\b"), "let me"),
    (re.compile(r"\bgimme\b"), "give me"),
    (re.compile(r"\bname spaces?\b"), "namespace"),
)
#: "checkout's" and "the pods'", but not what ends a quotation.
_POSSESSIVE = re.compile(
    r"(?<=\w)'s(?=[\s,?.!]"
    r"|\Z)(?<!\bit's)(?<!\bwhat's)(?<!\bwhich's)(?<!\bwho's)(?<!\bhow's)(?<!\bwhere's)(?<!\bwhen's)(?<!\bwhy's)"
    r"(?<!\bthat's)(?<!\bthere's)(?<!\bhere's)(?<!\blet's)"
)
#: Says nothing about what is wanted, wherever it stands.
_ANYWHERE = re.compile(
    r",?\s*\b(?:please|pls|plz|kindly|right now|currently|at the moment|at present|presently|as of now|atm|asap"
    r"|(?:many )?thanks(?: a lot| in advance| so much)?|thank you(?: very much| so much)?|thx|cheers"
    r"|if possible|still|already|exactly|actually|overall|so far|recently|lately|by any chance|again"
    r"|real quick|quickly|if you can|if you could|when you get a chance|for me|for us)\b(?!-)"
)
_GREETING = re.compile(
    r"(?:(?:hi|hello|hey|howdy|good (?:morning|afternoon|evening|day))(?: there| all| team| everyone)?"
    r"(?: @?[a-z][a-z-]*(?=[,!.:]))?|ok(?:ay)?|so|well|alright|quick (?:question|one|check)|just|now|@[a-z][\w-]*)"
    r"(?:[,!.:]+ *| +)"
)
_SEEING = (
    r"(?:see|view|look at|look into|have a look at|take a look at|get|have|check|find|find out|know|read|inspect|list)"
)
_TELLING = (
    r"(?:show|list|display|give|get|fetch|print|pull up|pull|bring up|dump|tell|retrieve|grab|find|check|read"
    r"|export|output"
    r"|present|report|return|name(?= (?:all|the|every|me)\b))"
)
#: What asks to see something, as the beginning of a message.
_ASKING = re.compile(
    rf"(?:(?:can|could|may|might) (?:i|we) (?:please )?{_SEEING}"
    rf"|(?:i|we) (?:want|need|wish|would like|would love) to {_SEEING}|(?:(?:i|we) )?(?:want|need|would like|would love)(?! (?:to|you)\b)"  # noqa: E501 - a pattern is easier to read in one line
    rf"|(?:let|help) (?:me|us) {_SEEING}|let us {_SEEING}|(?:i am|i'm) (?:looking for|interested in)"
    r"|would you mind (?:showing|listing|giving|getting|telling|checking|fetching)"
    rf"|{_TELLING}|display|print out|look up|look at|look into|have a look at|take a look at|view|see|enumerate|output"
    r"|do you know|what about|how about|inspect"
    r")(?: me| us)?(?: a look at)?\b(?![-/=]| of\b)"
)
#: What asks somebody to do something, as the beginning of a message.
_BEGGING = re.compile(
    r"(?:(?:can|could|would|will) (?:you|u)(?: just| also| maybe| perhaps| possibly| quickly)?(?! mind| not\b| have| be\b)"  # noqa: E501 - a pattern is easier to read in one line
    r"|(?:i|we) (?:want|need|would like) you to|be so kind (?:as )?to|do me a favou?r(?: and|[:,])|go ahead and"
    r"|would it be possible to|is it possible to (?=see|show|get|list)|(?:i )?just(?: want to)?)\s+"
)
_ASKED = re.compile(r"show (?:what|which|how|where|when|who|whose|why|if|whether|is|are|does|do|has|have)\b")
_CALLED = re.compile(rf"^[a-z][a-z-]*,\s+(?={_TELLING}\b|please\b|can you\b|could you\b|what\b|which\b|how many\b)")


def plain_words(text: str) -> str:
    """The message in lower case, with single spaces, without politeness and closing marks.

    A request to see something begins with `show`, unless it is a question.
    """
    words = " ".join(text.translate(_TYPOGRAPHY).lower().replace("(", " ").replace(")", " ").replace(": ", " ").split())
    words = _POSSESSIVE.sub("", words)
    words = re.sub(r"(?<=s)'(?= )", "", words) if words.count("'") == 1 else words
    for pattern, written in _SHORT:
        words = pattern.sub(written, words)
    words = tidy(_ANYWHERE.sub(" ", _strip_opening(words)))
    words = tidy(_CALLED.sub("", words, count=1))
    return tidy(_strip_opening(words))


def tidy(words: str) -> str:
    """Single spaces, no commas and closing marks at the ends, none doubled."""
    words = re.sub(r"\s*,(?:\s*,)*\s+|\s+,\s*", ", ", re.sub(r"\s+", " ", words))
    words = re.sub(r"(?:[?!.;:,]|\s)+$", "", words)
    words = re.sub(r"\bnow$", "", words) if words != "now" else words
    return re.sub(r"^[\s,;:.!]+|[\s,;:]+$", "", words)


def _strip_opening(words: str) -> str:
    """Take greetings, begging and asking off the beginning until nothing more comes off."""
    asked = False
    while True:
        before = words
        words = _GREETING.sub("", words, count=1) if _GREETING.match(words) else words
        words = re.sub(r"^(?:please|pls|plz|kindly)\b[, ]*", "", words)
        words = words[found.end() :].lstrip() if (found := _BEGGING.match(words)) else words
        if (found := _ASKING.match(words)) and words[found.end() :].strip():
            words, asked = words[found.end() :].lstrip(" ,:"), True
        if words == before:
            break
    words = f"show {words}" if asked else words
    return words.removeprefix("show ") if _ASKED.match(words) else words
