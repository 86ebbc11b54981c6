"""Does a message stand on its own, or does it continue the conversation?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent_gateway.messages import Exchange

#: Openings that join onto what was said before.
_JOINING = re.compile(
    r"^\W*(and|or|but|so|then|also|what about|how about|what if|why( not)?\W*$|same|what else|anything else|which one"
    r"|for (just )?(one|all)|only|in that case|if so|if not|otherwise|instead)\b",
    re.IGNORECASE,
)
#: Words that stand for something named earlier.
_POINTING = re.compile(
    r"\b(it|its|it's|that|this|those|these|they|them|their|there|one|ones|he|she|him|her|the same|the other|former|"
    r"latter|such|above|previous)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_][\w./:-]*")
_EMPTY = frozenset(
    """a an the is are was were be been do does did can could should would will shall may might must have has had i we
    you he she they it its that this these those them there their one ones what which who whom whose when where why how
    long much many often far to of in on at by for from with about as into than or and but so then also not no if any
    some all my our your take takes get gets make makes need needs happen happens work works mean else default exactly
    please pls tell me show up out off same other too still again instead first last next only just
    s t m d re ve ll don doesn didn isn aren wasn weren won wouldn couldn shouldn hasn haven hadn mustn""".split()
)
#: What is said to the last answer before the next question.
_ACKNOWLEDGING = re.compile(
    r"^\W*((thanks?( you)?|thx|ty|ok(ay)?|great|cool|nice|fine|good|perfect|got it|i see|yes|no|right|sure)\b\W*)+",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"^(who|what|when|where|how|does|do|is|are|can)\b(?!.*\byour?\b)", re.IGNORECASE)
#: Openings that ask for more of what was just said, however much they sound like talk.
_ASKING_ON = re.compile(
    r"^\W*((and|but|so|then|why|which|what else|anything else|what about|how about|what do you mean|for (all|one)"
    r"|(tell|show|give) me|(some |any )?(more|details?|examples?)|say (that|it) again|repeat|explain|elaborate"
    r"|can you (explain|elaborate|say|repeat)|go on|continue|summari[sz]e|shorter|are you sure|is that"
    r"|in other words)\b|(how( so| come| exactly)?|really)\W*$)",
    re.IGNORECASE,
)
#: A question with at most so many words of its own says too little to be searched for alone.
_FEW_WORDS = 1
#: Earlier messages that are joined when each of them continued the one before.
_DEPTH = 3
#: An earlier message is joined up to here: the encoder reads about a thousand characters, and the new one comes last.
TOPIC_CHARACTERS = 300
#: A message longer than this says enough to stand alone; its wording is looked at up to here.
LONGEST = 2000


def own_words(message: str) -> int:
    """How many words of a message carry a meaning of their own."""
    return sum(1 for word in _WORD.findall(message[:LONGEST].lower()) if word not in _EMPTY)


def continues(message: str) -> bool:
    """Whether a message can only be understood from what was said before."""
    message = _ACKNOWLEDGING.sub("", message[:LONGEST])
    words = own_words(message)
    if words <= _FEW_WORDS:
        return True
    if _JOINING.search(message):
        return words <= 8
    return bool(_POINTING.search(message)) and words <= 4


def asks_on(message: str) -> bool:
    """Whether a message that may be talk ("tell me more", "why?") asks for more of what was said before."""
    opening = message[:LONGEST]
    rest = _ACKNOWLEDGING.sub("", opening)
    return bool(_ASKING_ON.search(rest) or (rest != opening and _QUESTION.search(rest)))


def in_context(message: str, history: Sequence[Exchange]) -> str:
    """The message behind the earlier messages it builds on, oldest first."""
    topic: list[str] = []
    for exchange in reversed(history[-_DEPTH:]):
        topic.append(exchange.message[:TOPIC_CHARACTERS])
        if not continues(exchange.message):
            break
    return "\n".join([*reversed(topic), message])
