"""classify: what does the message ask for?"""

from __future__ import annotations

from agent_gateway.interfaces import Context, TurnState


async def classify(state: TurnState, context: Context) -> TurnState:
    """Embed the message once and read the intent from the vector; both are kept for the later stages."""
    vector = await context.encode(state["message"])
    return {"vector": vector, "intent": await context.classify(state["message"], vector)}
