"""Wires the stages into the LangGraph state machine; the only importer of langgraph."""

from __future__ import annotations

from agent_gateway.graph.build.turn_graph import BUILT_IN_STAGES, CompiledTurnGraph, Leg, TurnContext, summarize

__all__ = ["BUILT_IN_STAGES", "CompiledTurnGraph", "Leg", "TurnContext", "summarize"]
