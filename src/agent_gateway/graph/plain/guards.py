"""What is no request to do something, although it holds the words of one."""

from __future__ import annotations

import re

from agent_gateway.tool import Effect

#: Negations, conditions, and questions about how and whether.
_NO_REQUEST = re.compile(
    r"\b(?:don'?t|do not|didn'?t|shouldn'?t|mustn'?t|cannot|(?<!why )(?:doesn'?t|won'?t|can'?t)(?!.*\bwhy\b)"
    r"|never|no need|without|avoid|instead|compared|versus|vs"
    r"|(?:thanks|thank you|thx|cheers)(?: again| a lot| so much| very much| everyone| all)* for"
    r"|rather than|unless|nobody|how (?:can|could|would|should|to)"
    # "How does it look" is no question about how to do something.
    r"|how (?:do|does|did)(?! (?!(?:i|we|you|one)\b).*\blook(?! at| for| up| into))|what (?:if|happens|would|should)"
    r"|should (?:i|we|you|one)|(?<!what )do (?:i|we|you|they) (?:really |even )?(?:need|want|care)"
    r"|is it (?:safe|ok|okay|fine|wise|normal|possible|worth)|am i allowed|are we allowed"
    r"|(?:the )?difference between|explain|best practices?|runbooks?|documentation|docs|tutorial|guide"
    r"|(?<!network )polic(?:y|ies) (?:for|on|say|says|about)|meaning of|stand for|define|definition of (?:a|an))\b",
    re.IGNORECASE,
)
#: A message that begins so takes something back.
_REFUSAL = re.compile(
    r"\W*(?:(?:ok|okay|please|hey|hi|hello|so|well|thanks|thank you)\W+)*"
    r"(?:no|nope|nah|not(?! (?:running|ready|healthy)\b)|forget|stop|enough|ignore|never ?mind|skip)\b(?![-.])",
    re.IGNORECASE,
)
#: What only asks whether to change something; a polite command is told by its "you" or its "please".
_BEGS = re.compile(r"\b(?:(?:can|could|would|will) (?:you|u)|please|pls|plz|kindly|would you mind)\b", re.IGNORECASE)


def is_request(text: str, effect: Effect) -> bool:
    """Whether prose asks for something to be done at all, by its wording alone."""
    if _REFUSAL.match(text) or _NO_REQUEST.search(text.replace("\u2019", "'")):
        return False
    return effect == "read" or not text.rstrip().endswith("?") or bool(_BEGS.search(text))
