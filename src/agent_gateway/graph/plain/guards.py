"""What is no request to do something, although it holds the words of one."""

from __future__ import annotations

import re

from agent_gateway.tool import Effect

#: Negations, conditions, and questions about how and whether.
_NO_REQUEST = re.compile(
    r"\b(?:don'?t|do not|(?<!why )doesn'?t|didn'?t|(?<!why )won'?t|shouldn'?t|mustn'?t|(?<!why )can'?t|cannot"
    r"|never|no need|without|avoid|instead"
    r"|rather than|unless|nobody|how (?:do|does|did|can|could|would|should|to)|what (?:if|happens|would|should)"
    r"|should (?:i|we|you|one)|is it (?:safe|ok|okay|fine|wise|normal|possible|worth)|am i allowed|are we allowed"
    r"|(?:the )?difference between|explain|best practices?|runbooks?|documentation|docs|tutorial|guide"
    r"|polic(?:y|ies) (?:for|on|say|says|about)|meaning of|stand for|define|definition of (?:a|an))\b",
    re.IGNORECASE,
)
#: What only asks whether to change something; a polite command is told by its "you" or its "please".
_BEGS = re.compile(r"\b(?:(?:can|could|would|will) (?:you|u)|please|pls|plz|kindly|would you mind)\b", re.IGNORECASE)


def is_request(text: str, effect: Effect) -> bool:
    """Whether prose asks for something to be done at all, by its wording alone."""
    if _NO_REQUEST.search(text.replace("\u2019", "'")):
        return False
    return effect == "read" or not text.rstrip().endswith("?") or bool(_BEGS.search(text))
