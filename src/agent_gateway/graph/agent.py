"""An agent: a persona wired to its graph."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec

from agent_gateway.errors import GatewayError
from agent_gateway.graph.build import CompiledTurnGraph, Leg, TurnContext
from agent_gateway.graph.context import AgentContext, TurnScope
from agent_gateway.graph.faculties import Faculties
from agent_gateway.interfaces import Emit, PendingCall, TurnState
from agent_gateway.messages import MODEL_KINDS, Answer, Exchange, PendingApproval, Run
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

        `GatewayError` with code `turn_timeout` when it has not ended by the deadline. With status `waiting` its state
        is stored, and a human must decide.
        """
        return await self._drive(
            run, emit, lambda context: self._graph.start({"message": run.message, "history": history}, context)
        )

    async def resume(self, run: Run, history: tuple[Exchange, ...], emit: Emit, checkpoint: bytes) -> Answer:
        """Go on with a turn from its stored state. What it waits for is time that it has not used."""
        del history  # It is in the state, as it was when the turn began.
        return await self._drive(run, emit, lambda context: self._graph.resume(checkpoint, context))

    async def _drive(self, run: Run, emit: Emit, first: Callable[[TurnContext], Awaitable[Leg]]) -> Answer:
        """From leg to leg: before a call its state is stored, and where no human is asked it goes on at once."""
        begun = time.perf_counter()
        leg = await self._limit(run, emit, first)
        while leg.pending is not None:
            await self.faculties.checkpoints.put(run.id, leg.checkpoint)
            if leg.pending.approval:
                return await self._waiting(run, leg.state, leg.pending, (time.perf_counter() - begun) * 1000)
            checkpoint = leg.checkpoint
            leg = await self._limit(run, emit, lambda context: self._graph.resume(checkpoint, context))  # noqa: B023 - awaited at once
        await self.faculties.tools.forget(run.id)
        return self._answer(run, leg.state, (time.perf_counter() - begun) * 1000)

    async def _limit(self, run: Run, emit: Emit, go: Callable[[TurnContext], Awaitable[Leg]]) -> Leg:
        """One leg, within the turn's time."""
        seconds = self.faculties.deadline_seconds
        deadline = asyncio.get_running_loop().time() + seconds
        context = AgentContext(
            self.persona, self.abilities, self.intents, self.faculties, TurnScope(run, emit, deadline)
        )
        clock = asyncio.timeout_at(deadline)
        done = False
        try:
            async with clock:
                leg = await go(TurnContext(context, context.perform))
            done = True
        except TimeoutError:
            if not clock.expired():
                raise
            raise GatewayError(
                f"the turn took longer than {seconds:g} s",
                code="turn_timeout",
                hint="ask again, or raise models.deadline_seconds",
            ) from None
        finally:
            if not done:
                await self.faculties.tools.forget(run.id)
        return leg

    async def _waiting(self, run: Run, state: TurnState, pending: PendingCall, elapsed: float) -> Answer:
        """What is known of a turn that a human must decide on."""
        approval = await self.faculties.tools.waits_for(run.id, pending.call.id)
        waits = (
            PendingApproval(
                id=approval.id, tool=approval.tool, summary=approval.summary, expires_at=approval.expires_at
            ),
        ) if approval is not None else ()  # fmt: skip
        return msgspec.structs.replace(self._answer(run, state, elapsed), status="waiting", approvals=waits)

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
