"""Wires the stages into the LangGraph state machine; the only importer of langgraph."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from agent_gateway.events import StageFinished, StageStarted
from agent_gateway.graph.act import act
from agent_gateway.graph.classify import classify
from agent_gateway.graph.remember import remember
from agent_gateway.graph.retrieve import retrieve
from agent_gateway.graph.route import route
from agent_gateway.interfaces import Context, Stage, TurnState
from agent_gateway.persona import STAGES

BUILT_IN_STAGES: Mapping[str, Stage] = {
    "classify": classify,
    "retrieve": retrieve,
    "route": route,
    "act": act,
    "remember": remember,
}


@dataclass(frozen=True)
class TurnContext:
    """What LangGraph hands to every node: never part of the state, so never in a checkpoint."""

    stage_context: Context


class TurnGraph(Protocol):
    """A compiled graph."""

    async def run(self, state: TurnState, context: Context) -> TurnState:
        """The state after the last stage; whatever a stage raises goes through."""
        ...


Node: TypeAlias = Callable[[TurnState, Runtime[TurnContext]], Awaitable[TurnState]]


class CompiledTurnGraph:
    """The five stages of one persona, in order."""

    def __init__(self, replaced: Mapping[str, Stage]):
        graph: StateGraph[TurnState, TurnContext, TurnState, TurnState] = StateGraph(TurnState, TurnContext)
        for name in STAGES:
            # LangGraph's overloads do not cover a node built by a function.
            node: Any = _node(name, replaced.get(name, BUILT_IN_STAGES[name]))
            graph.add_node(name, node)
        for first, second in zip((START, *STAGES), (*STAGES, END), strict=True):
            graph.add_edge(first, second)
        self._compiled = graph.compile()

    async def run(self, state: TurnState, context: Context) -> TurnState:
        """One turn."""
        final: Any = await self._compiled.ainvoke(state, context=TurnContext(context))
        return final  # type: ignore[no-any-return]  # the schema is TurnState; langgraph types its output as Any


def _node(name: str, stage: Stage) -> Node:
    async def run_stage(state: TurnState, runtime: Runtime[TurnContext]) -> TurnState:
        context = runtime.context.stage_context
        await context.emit(StageStarted(stage=name))
        begun = time.perf_counter()
        update = await stage(state, context)
        elapsed = round((time.perf_counter() - begun) * 1000, 2)
        await context.emit(StageFinished(stage=name, ms=elapsed, result=summarize(update)))
        return update

    return run_stage


def summarize(update: TurnState) -> dict[str, Any]:
    """What a stage decided, small enough for the stream."""
    result: dict[str, Any] = {key: update[key] for key in ("intent", "route", "answerable") if key in update}
    if "passages" in update:
        result["passages"] = len(update["passages"])
        result["collections"] = update.get("collections", ())
        result["question"] = update.get("question", "")
    if "citations" in update:
        result["citations"] = len(update["citations"])
    return result
