"""The graph of a turn: five stages in order, and two nodes between act and act where a call must be decided on.

    classify -> retrieve -> route -> act -> remember
                                     | ^
                          a call waits  its result
                                     v |
                             gate -> execute

`act` proposes and observes. `gate` stands still, which is all it does: nothing stands before an interrupt in its node.
`execute` makes the call as it is stored.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt

from agent_gateway.errors import GatewayError
from agent_gateway.events import StageFinished, StageStarted
from agent_gateway.graph.act import act
from agent_gateway.graph.build.saver import TurnSaver
from agent_gateway.graph.classify import classify
from agent_gateway.graph.remember import remember
from agent_gateway.graph.retrieve import retrieve
from agent_gateway.graph.route import route
from agent_gateway.interfaces import ApprovalPending, Context, PendingCall, Stage, TurnState
from agent_gateway.persona import STAGES
from agent_gateway.tool import ToolResult

BUILT_IN_STAGES: Mapping[str, Stage] = {
    "classify": classify,
    "retrieve": retrieve,
    "route": route,
    "act": act,
    "remember": remember,
}
_GATE, _EXECUTE = "gate", "execute"
_INTERRUPTS = "__interrupt__"

#: Makes the call that a turn stands before.
Perform: TypeAlias = Callable[[PendingCall], Awaitable[ToolResult]]


@dataclass(frozen=True)
class TurnContext:
    """What LangGraph hands to every node: never part of the state, so never in a checkpoint."""

    stage_context: Context
    perform: Perform


@dataclass(frozen=True)
class Leg:
    """How far a turn came: to its end, or to a call it waits for; then `checkpoint` is its state, to be stored."""

    state: TurnState
    pending: PendingCall | None = None
    checkpoint: bytes = b""


Node: TypeAlias = Callable[[TurnState, Runtime[TurnContext]], Awaitable[TurnState]]


class CompiledTurnGraph:
    """The state machine of one persona."""

    def __init__(self, replaced: Mapping[str, Stage]):
        graph: StateGraph[TurnState, TurnContext, TurnState, TurnState] = StateGraph(TurnState, TurnContext)
        for name in STAGES:
            # LangGraph's overloads do not cover a node built by a function.
            node: Any = _node(name, replaced.get(name, BUILT_IN_STAGES[name]))
            graph.add_node(name, node)
        graph.add_node(_GATE, _gate)
        graph.add_node(_EXECUTE, _execute)
        for first, second in zip((START, *STAGES[:3]), STAGES[:4], strict=True):
            graph.add_edge(first, second)
        graph.add_conditional_edges("act", _after_act, [_GATE, "remember"])
        graph.add_edge(_GATE, _EXECUTE)
        graph.add_conditional_edges(_EXECUTE, _after_execute, [_GATE, "act"])
        graph.add_edge("remember", END)
        self._saver = TurnSaver()
        self._compiled = graph.compile(checkpointer=self._saver)

    async def start(self, state: TurnState, context: TurnContext) -> Leg:
        """A turn from its message; whatever a stage raises goes through."""
        return await self._go(state, context)

    async def resume(self, checkpoint: bytes, context: TurnContext) -> Leg:
        """A turn from where it stood still; what was decided meanwhile is read where it is stored."""
        run_id = context.stage_context.run_id
        self._saver.load(run_id, checkpoint)
        # By their ids: one scalar would be an answer to every interrupt there is.
        return await self._go(Command(resume=dict.fromkeys(self._saver.interrupts(run_id), True)), context)

    async def _go(self, state: Any, context: TurnContext) -> Leg:
        run_id = context.stage_context.run_id
        config: RunnableConfig = {"configurable": {"thread_id": run_id}}
        try:
            final: Any = await self._compiled.ainvoke(state, config, context=context, durability="exit")
            if final.pop(_INTERRUPTS, None):
                return Leg(final, final["pending"], self._saver.export(run_id))
            return Leg(final)
        finally:
            self._saver.drop(run_id)


def _after_act(state: TurnState) -> str:
    return _GATE if state.get("pending") is not None else "remember"


def _after_execute(state: TurnState) -> str:
    result = state.get("result")
    return _GATE if result is not None and result.status == "waiting" else "act"


async def _gate(state: TurnState) -> TurnState:
    """Stand still before a call. What goes on from here believes nothing that it is told on the way."""
    pending = state["pending"]
    if pending is not None:
        interrupt({"call": pending.call.id, "approval": pending.approval})
    return {}


async def _execute(state: TurnState, runtime: Runtime[TurnContext]) -> TurnState:
    """Make the call, as it is stored, if it may be made."""
    pending = state["pending"]
    if pending is None:
        return {"result": None}
    return {"result": await runtime.context.perform(pending)}


def _node(name: str, stage: Stage) -> Node:
    async def run_stage(state: TurnState, runtime: Runtime[TurnContext]) -> TurnState:
        context = runtime.context.stage_context
        await context.emit(StageStarted(stage=name))
        begun = time.perf_counter()
        try:
            update = await stage(state, context)
        except ApprovalPending as waiting:
            if name != "act":
                raise GatewayError(f"the stage '{name}' may not change anything: only act may") from waiting
            update = {"pending": waiting.pending}
        else:
            update = update if name != "act" or "pending" in update else {**update, "pending": None}
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
