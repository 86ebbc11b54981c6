"""route: which model tier answers, and why?"""

from __future__ import annotations

from agent_gateway.interfaces import Context, TurnState


async def route(state: TurnState, context: Context) -> TurnState:
    """Ask the routing policy; the decision with its parts goes onto the stream and the run."""
    return {"route": context.route(state)}
