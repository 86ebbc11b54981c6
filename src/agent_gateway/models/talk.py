"""What a persona says of itself when no document is needed: greetings, thanks, what it can do, what it cannot."""

from __future__ import annotations

import re

from agent_gateway.interfaces import GenerationRequest

_THANKS = re.compile(r"\b(thanks?|thx|thank you|ty|cheers|appreciate\w*|grateful|great job|well done)\b", re.IGNORECASE)
_FAREWELL = re.compile(
    r"\b(bye|goodbye|good ?night|see (you|ya)|cya|talk to you later|farewell|signing off)\b|^\W*later\W*$",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"^\W*(hi+|hey+|hello+|helo|yo|moin|hola|howdy|greetings|good (morning|afternoon|evening|day))\b", re.IGNORECASE
)
_ABOUT = re.compile(r"\b(you|your|yourself|help|can)\b", re.IGNORECASE)

#: Intents that would change something; saying nothing would look like having done it.
_CHANGING = {"deploy": "change anything that runs", "train": "start a training run"}
_LOOKING = {"troubleshoot": "look at live systems", "analyze": "compute over data"}
#: Below this the category is too uncertain to speak of it.
_SURE = 0.5


def reply_to_talk(request: GenerationRequest) -> str:
    """A reply to greeting, thanks, farewell or a question about the agent, from the persona's own description."""
    message = request.message
    if _GREETING.search(message) and not _ABOUT.search(message):
        return f"Hello! {introduce(request)}"
    if _THANKS.search(message):
        return "You are welcome."
    if _FAREWELL.search(message):
        return "Goodbye."
    return introduce(request)


def introduce(request: GenerationRequest) -> str:
    """Who the persona is, what it can do and which collections it knows."""
    persona = request.persona
    abbreviated = persona.title[1:2].isupper()
    title = persona.title if abbreviated else f"{persona.title[:1].lower()}{persona.title[1:]}"
    text = f"I am {persona.id}, {title}."
    if request.abilities:
        text += f" I can {_join(request.abilities)}."
    if request.collections:
        text += f" My answers come from {_join(request.collections)}, with the source of every sentence."
    return text


def explain_absence(request: GenerationRequest) -> str:
    """That the documents do not answer, and which ones were searched."""
    if not request.collections:
        return "I have no documents to answer from."
    return f"This is not in my knowledge base: I found no answer in {_join(request.collections)}."


def note_inability(request: GenerationRequest) -> str:
    """One sentence when the message asks for something that needs tools, which this gateway does not have."""
    if request.intent.confidence < _SURE:
        return ""
    category = request.intent.category
    deed = _CHANGING.get(category) or (not request.answerable and _LOOKING.get(category))
    return f"I cannot {deed}: no tools are connected to this gateway." if deed else ""


def _join(parts: tuple[str, ...]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
