"""act: write the answer."""

from __future__ import annotations

from agent_gateway.events import Token
from agent_gateway.interfaces import Context, GenerationRequest, TurnState
from agent_gateway.messages import Citation


async def act(state: TurnState, context: Context) -> TurnState:
    """Have the routed model answer from the passages, passing its words on as they come."""
    request = GenerationRequest(
        persona=context.persona,
        abilities=context.abilities,
        question=state.get("question", state["message"]),
        message=state["message"],
        intent=state["intent"],
        passages=state["passages"],
        answerable=state["answerable"],
        collections=state.get("collections", ()),
        history=state.get("history", ()),
    )
    words: list[str] = []
    citations: list[Citation] = []
    async for piece in context.generate(request, state["route"]):
        if piece.citation is not None:
            citations.append(piece.citation)
            await context.emit(piece.citation)
        if piece.text:
            words.append(piece.text)
            await context.emit(Token(text=piece.text))
    return {"response": "".join(words), "citations": tuple(citations)}
