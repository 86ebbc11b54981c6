"""Requests to a model, and what it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent_gateway.intent import Intent
from agent_gateway.interfaces import Generation, GenerationRequest, Passage
from agent_gateway.messages import Citation
from agent_gateway.models.extractive import ExtractiveModel
from agent_gateway.persona import Persona

NORA = Persona(id="nora", title="Librarian of the house", prompt="Read.")


def a_request(
    message: str = "Where are the keys?",
    passages: Sequence[Passage] = (),
    *,
    category: str = "query",
    confidence: float = 0.95,
    **changes: Any,
) -> GenerationRequest:
    """A request about passages, which answer it if there are any."""
    given: dict[str, Any] = {
        "persona": NORA,
        "abilities": ("look things up", "explain the rules"),
        "question": message,
        "message": message,
        "intent": Intent(
            category=category, complexity="low", reasoning_depth=0, accuracy_requirement=1, confidence=confidence
        ),
        "passages": tuple(passages),
        "answerable": bool(passages),
        "collections": ("docs",),
        "history": (),
    }
    return GenerationRequest(**{**given, **changes})


async def write(request: GenerationRequest) -> list[Generation]:
    """Everything the floor writes."""
    return [piece async for piece in ExtractiveModel().generate(request)]


async def say(request: GenerationRequest) -> str:
    """The floor's response."""
    return "".join(piece.text for piece in await write(request))


def citations_of(pieces: Sequence[Generation]) -> list[Citation]:
    """The citations in the order in which they came."""
    return [piece.citation for piece in pieces if piece.citation is not None]
