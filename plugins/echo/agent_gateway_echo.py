"""The smallest persona: it repeats what you say."""

import agent_gateway as ag


async def _act(state: ag.TurnState, context: ag.Context) -> ag.TurnState:
    await context.emit(ag.Token(text=state["message"]))
    return {"response": state["message"], "citations": ()}


@ag.hookimpl
def register_personas() -> list[ag.Persona]:
    """Serve echo on its own port."""
    return [ag.Persona(id="echo", port=30107, title="Echo", prompt="Repeat what you hear.", stages={"act": _act})]
