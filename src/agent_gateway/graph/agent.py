"""An agent: a persona wired to its graph."""

from __future__ import annotations

import asyncio
import time

from agent_gateway.errors import GatewayError
from agent_gateway.graph.build import CompiledTurnGraph
from agent_gateway.graph.context import AgentContext, TurnScope
from agent_gateway.graph.faculties import Faculties
from agent_gateway.interfaces import Emit, TurnState
from agent_gateway.messages import MODEL_KINDS, Answer, Exchange, Run
from agent_gateway.persona import Persona


class TurnAgent:
    """Runs the turns of one persona. `abilities` complete the sentence "I can ..."."""

    def __init__(self, persona: Persona, abilities: tuple[str, ...], intents: tuple[str, ...], faculties: Faculties):
        self.persona = persona
        self.abilities = abilities
        self.intents = intents
        self.faculties = faculties
        self._graph = CompiledTurnGraph(persona.stages)

    async def run(self, run: Run, history: tuple[Exchange, ...], emit: Emit) -> Answer:
        """One turn, from message to answer; whatever a stage raises goes through.

        `GatewayError` with code `turn_timeout` when it has not ended by the deadline.
        """
        begun = time.perf_counter()
        deadline = asyncio.get_running_loop().time() + self.faculties.deadline_seconds
        context = AgentContext(
            self.persona, self.abilities, self.intents, self.faculties, TurnScope(run, emit, deadline)
        )
        clock = asyncio.timeout_at(deadline)
        try:
            async with clock:
                state = await self._graph.run({"message": run.message, "history": history}, context)
        except TimeoutError:
            if not clock.expired():
                raise
            raise GatewayError(
                f"the turn took longer than {self.faculties.deadline_seconds:g} s",
                code="turn_timeout",
                hint="ask again, or raise models.deadline_seconds",
            ) from None
        finally:
            await self.faculties.tools.forget(run.id)
        return self._answer(run, state, (time.perf_counter() - begun) * 1000)

    def _answer(self, run: Run, state: TurnState, elapsed: float) -> Answer:
        route = state.get("route")
        return Answer(
            response=state.get("response", ""),
            model=MODEL_KINDS[route.tier] if route else "extractive",
            context_used=len(state.get("passages", ())),
            latency_ms=round(elapsed, 2),
            conversation_id=run.conversation_id,
            run_id=run.id,
            status="completed",
            intent=state.get("intent"),
            route=route,
            citations=state.get("citations", ()),
            tool_calls=state.get("tool_calls", ()),
            asked_before=state.get("recollections", ()),
            usage=state.get("usage"),
            notices=state.get("notices", ()),
        )
