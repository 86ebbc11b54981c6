"""Explains how a message would be routed: classify, retrieve and route run, and nothing is answered or remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from agent_gateway.errors import GatewayError
from agent_gateway.events import EventData
from agent_gateway.graph.agent import TurnAgent
from agent_gateway.graph.build import BUILT_IN_STAGES
from agent_gateway.graph.context import AgentContext, TurnScope
from agent_gateway.interfaces import RouteCase, RouteChoice, RouteExplanation, RoutePolicy, Stage, TurnState
from agent_gateway.messages import Run

#: The stages before anything is written.
_STAGES = ("classify", "retrieve", "route")
#: Stands for the run in the ledger when a small model was asked to classify.
RUN_ID = "route-explanation"
#: Nobody: what somebody asked before plays no part in a route.
_OWNER = RUN_ID


class _Witness:
    """A policy that keeps what it was asked last, and said."""

    def __init__(self, policy: RoutePolicy) -> None:
        self.name = policy.name
        self.case: RouteCase | None = None
        self.choice: RouteChoice | None = None
        self._policy = policy

    def decide(self, case: RouteCase) -> RouteChoice:
        """As the policy decides."""
        self.case, self.choice = case, self._policy.decide(case)
        return self.choice


class RouteExplainer:
    """Explains the decisions of agents, by their personas' ids. `other` is the policy that does not decide."""

    def __init__(self, agents: Mapping[str, TurnAgent], other: RoutePolicy) -> None:
        self._agents = agents
        self._other = other

    async def explain(self, persona: str, message: str) -> RouteExplanation:
        """The decision for a message that begins a conversation; `GatewayError` when a stage fails or takes too long.

        `KeyError` for a persona that is not served. A persona's own stages run as in a turn, and see no listener.
        """
        agent = self._agents[persona]
        witness = _Witness(agent.faculties.router.policy)
        state, context = await self._run(agent, witness, message)
        case = witness.case
        return RouteExplanation(
            persona=persona,
            message=message,
            intent=state["intent"],
            collections=state.get("collections", ()),
            passages=len(state.get("passages", ())),
            evidence=state.get("evidence", 0.0),
            policy=witness.name,
            choice=witness.choice,
            route=state["route"],
            other_policy=self._other.name,
            other=self._other.decide(case) if case is not None else None,
            standings=agent.faculties.router.standings(context.persona),
        )

    async def _run(self, agent: TurnAgent, witness: _Witness, message: str) -> tuple[TurnState, AgentContext]:
        faculties = replace(agent.faculties, router=replace(agent.faculties.router, policy=witness, shadow=None))
        seconds = faculties.deadline_seconds
        deadline = asyncio.get_running_loop().time() + seconds
        scope = TurnScope(_run_of(agent.persona.id, message), _ignore, deadline)
        context = AgentContext(agent.persona, agent.abilities, agent.intents, faculties, scope)
        state: TurnState = {"message": message, "history": ()}
        try:
            async with asyncio.timeout_at(deadline):
                for name in _STAGES:
                    stage: Stage = agent.persona.stages.get(name, BUILT_IN_STAGES[name])
                    state = {**state, **await stage(state, context)}
        except TimeoutError:
            raise GatewayError(f"the route was not decided within {seconds:g} s", code="turn_timeout") from None
        finally:
            await faculties.tools.forget(RUN_ID)
        return state, context


def _run_of(persona: str, message: str) -> Run:
    """A run that is never stored."""
    return Run(
        id=RUN_ID,
        conversation_id=RUN_ID,
        persona=persona,
        owner=_OWNER,
        message=message,
        status="running",
        attempts=1,
        created_at="",
    )


async def _ignore(data: EventData) -> None:
    del data
