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
#: Abbreviations and slips of the pen, written out. None of them is likely to be a name.
_WRITTEN_OUT = {
    "err": "error", "errs": "errors", "eror": "error", "erors": "errors", "errros": "errors", "desc": "describe",
    "descr": "describe", "ls": "list", "reqs": "requests", "req": "request", "msgs": "messages", "teh": "the",
    "hte": "the", "em": "them", "'em": "them", "util": "utilization", "utilisation": "utilization", "mem": "memory",
    "conf": "configuration", "nodez": "nodes", "evts": "events", "ev": "events", "thru": "through", "ya": "you",
    "wanna": "want to", "gotta": "have to", "whats": "what is", "hows": "how is", "wheres": "where is",
    "atm": "", "k8": "kubernetes", "nr": "number", "avg": "average", "prev": "previous", "hist": "history",
    "stat": "status", "perc": "percentage", "resp": "response", "lat": "latency", "ok?": "ok",
}  # fmt: skip
_ABBREVIATED = re.compile(
    # What is searched for stays as it is.
    r"(?<![^\s,])(?<!grep )(?<!for )(?<!containing )(?<!mentioning )(?<!matching )"
    rf"(?:{'|'.join(map(re.escape, _WRITTEN_OUT))})(?![^\s,?!.])(?!\s*=)"
)
#: "checkout's" and "the pods'", but not what ends a quotation.
_POSSESSIVE = re.compile(
    r"(?<=\w)'s(?=[\s,?.!]"
    r"|\Z)(?<!\bit's)(?<!\bwhat's)(?<!\bwhich's)(?<!\bwho's)(?<!\bhow's)(?<!\bwhere's)(?<!\bwhen's)(?<!\bwhy's)"
    r"(?<!\bthat's)(?<!\bthere's)(?<!\bhere's)(?<!\blet's)"
)
#: A namespace in brackets, with the word for it.
_IN_BRACKETS = re.compile(
    r"[(\[] ?(?:(?:in|of|from) )?(?:the )?(?:(?:namespace|ns|-n)[:=]? ?(?P<name>[a-z0-9-]+)|(?P<other>[a-z0-9-]+) (?:namespace|ns)) ?[)\]]"  # noqa: E501 - a pattern is easier to read in one line
)
#: Says nothing about what is wanted, wherever it stands.
_ANYWHERE = re.compile(
    r",?\s*\b(?:please|pls|plz|kindly|right now|currently|at the moment|at present|presently|as of now|atm|asap"
    r"|(?:many )?thanks(?: a lot| in advance| so much)?|thank you(?: very much| so much)?|thx|cheers"
    r"|if possible|still|already|exactly|actually|overall|so far|recently|lately|by any chance|again"
    r"|real quick|quickly|if you can|if you could|when you get a chance|for me|for us|urgent|real fast|kinda"
    r"|in case you have them|if there (?:are|is) any|whenever you can|when you have time|if you do not mind|ty|tia"
    r"|i guess|i think i need|though|at all|altogether|bitte|danke)\b(?!-)"
)
_GREETING = re.compile(
    r"(?:(?:hi|hello|hey|howdy|good (?:morning|afternoon|evening|day))(?: there| all| team| everyone)?"
    r"(?: @?[a-z][a-z-]*(?=[,!.:]))?|ok(?:ay)?|so|well|alright|quick (?:question|one|check)|just|now|@[a-z][\w-]*)"
    r"(?:[,!.:]+ *| +)"
)
_SEEING = (
    r"(?:see|view|look at|look into|have (?:a|another) (?:quick )?(?:look|peek) at|take a (?:quick )?(?:look|peek) at"
    r"|peek at|get|have|check|check on|find|find out|know|read|inspect|list|ask(?: for)?)"
)
_TELLING = (
    r"(?:show|list|display|give|get|fetch|print|pull up|pull|provide|supply|hand|enumerate|bring up|dump|tell|retrieve"
    r"|grab|find|check|read"
    r"|export|output"
    r"|present|report|return|name(?= (?:all|the|every|me)\b))"
)
#: What asks to see something, as the beginning of a message.
_ASKING = re.compile(
    rf"(?:(?:can|could|may|might) (?:i|we) (?:please )?{_SEEING}"
    rf"|(?:i|we) (?:want|need|wish|would like|would love|would need|have) to {_SEEING}"
    r"|(?:i am |i'm |just )?(?:curious (?:about|to see)|wondering(?: about)?)|i wonder"
    r"|any (?:chance|way) (?:of|to) see(?:ing)?"
    r"|(?:i|we) would need|(?:(?:i|we) )?(?:want|need|would like|would love)(?! (?:to|you)\b)"
    rf"|(?:let|help) (?:me|us) {_SEEING}|let us {_SEEING}|(?:i am|i'm) (?:looking for|interested in)"
    r"|would you mind (?:showing|listing|giving|getting|telling|checking|fetching)"
    rf"|{_TELLING}|display|print out|look up|look at|look into|(?:have|take) a (?:quick )?(?:look|peek) at|view"
    r"|see|enumerate|output|(?:a )?(?:quick )?(?:look|peek) at|pull out|go get|go and get|let's have"
    r"|do you know|what about|how about|inspect"
    r")(?: me| us)?(?: a look at)?\b(?![-/=]| of\b)"
)
#: What asks somebody to do something, as the beginning of a message.
_BEGGING = re.compile(
    r"(?:(?:can|could|would|will) (?:you|u)(?: just| also| maybe| perhaps| possibly| quickly)?(?! mind| not\b| have| be\b)"  # noqa: E501 - a pattern is easier to read in one line
    # Of anybody only looking is asked.
    rf"|(?:can|could|would|will) (?:someone|somebody|anyone|anybody)(?: please)?"
    rf"(?= (?:{_TELLING}|{_SEEING}|describe)\b)"
    r"|(?:i|we) (?:want|need|would like) you to|be so kind (?:as )?to|do me a favou?r(?: and|[:,])|go ahead and"
    r"|would it be possible to|is it possible to (?=see|show|get|list)|(?:i )?just(?: want to)?)\s+"
)
_ASKED = re.compile(r"show (?:what|which|how|where|when|who|whose|why|if|whether|is|are|does|do|has|have)\b")
#: Asks at the end to see what stood before.
_ASKED_LATE = re.compile(
    r"(?P<what>.+?\S)(?:(?:,| -|[?.!;]| and) (?:(?:can|could|would|will) you )?(?:please )?(?:just )?"
    r"(?:show|list|print|give|tell|display|get|fetch|dump)(?: it| them| those| me| us| that| all| out)*"
    r"|,? (?:(?:can|could|would|will) you )?(?:show|list|print|give|tell|display|get)"
    r"(?: it| them| those| me| us| that)+"
    r"|,? (?:i (?:mean|meant)|would be (?:nice|great|good)|would help|is what i (?:want|need)))[?.! ]*"
)
_CALLED = re.compile(rf"^[a-z][a-z-]*,\s+(?={_TELLING}\b|please\b|can you\b|could you\b|what\b|which\b|how many\b)")


def plain_words(text: str) -> str:
    """The message in lower case, with single spaces, without politeness and closing marks.

    A request to see something begins with `show`, unless it is a question.
    """
    words = _IN_BRACKETS.sub(r" in namespace \g<name>\g<other> ", text.translate(_TYPOGRAPHY).lower())
    words = " ".join(words.replace("(", " ").replace(")", " ").replace(": ", " ").split())
    words = _ABBREVIATED.sub(lambda found: _WRITTEN_OUT[found[0]], _POSSESSIVE.sub("", words))
    words = re.sub(r"(?<=s)'(?= )", "", words) if words.count("'") == 1 else words
    for pattern, written in _SHORT:
        words = pattern.sub(written, words)
    words = tidy(_ANYWHERE.sub(" ", _strip_opening(words)))
    words = tidy(_CALLED.sub("", words, count=1))
    words = tidy(_strip_opening(words))
    if (found := _ASKED_LATE.fullmatch(words)) and len(found["what"].split()) > 1:
        words = tidy(_strip_opening(f"show {found['what']}"))
    return words


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
