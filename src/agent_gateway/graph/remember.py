"""remember: keep what was asked and answered."""

from __future__ import annotations

from agent_gateway.interfaces import Context, TurnState


async def remember(state: TurnState, context: Context) -> TurnState:
    """Queue the interaction for the knowledge base; the reply does not wait for it."""
    await context.remember(state)
    return {}
