"""Who the user talks to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import msgspec

from agent_gateway.completion import ModelSpec
from agent_gateway.messages import Tier
from agent_gateway.tool import Tool

#: A stage as a persona carries it; `interfaces.Stage` is its exact type, which is built on this module.
StageFunction: TypeAlias = Callable[[Any, Any], Awaitable[Any]]

#: Stages in the order of a turn; a persona may replace any of them.
STAGES = ("classify", "retrieve", "route", "act", "remember")
MODEL_TIERS: tuple[Tier, ...] = ("small", "medium", "large")


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a persona may do. `suggest_only`: it proposes changes and never carries one out.

    `auto`: tools that change something without asking, as long as no model chose the call with untrusted text before
    it. `approver_differs`: who approves must not be who asked.
    """

    suggest_only: bool = False
    auto: tuple[str, ...] = ()
    approver_differs: bool = False


class Persona(msgspec.Struct, frozen=True, kw_only=True):
    """A persona as a plugin registers it; `personas.yaml` may override every field but `stages`.

    `port`: 1 to 65535, or 0 for none (then it is served only if personas.yaml gives it one). `intents`: names it
    understands, all registered ones when empty. `documents`: folder -> collection, ingested when first served;
    relative folders start at the plugin's file or at personas.yaml. `collections`: what it searches besides; with
    `collections_only` it never sees a collection that is not listed here or in `documents`. `tiers`: model tiers it
    may use, `models` its own models for some of them. `daily_budget`: USD a day (UTC) its models may cost, None for the
    gateway's, 0 for no limit. `cancel_on_disconnect`: a turn ends when its only listener leaves, else it goes on and is
    kept. `tools`: those it may use; each must exist. `optional_tools`: those it may use besides where some plugin
    registers them, unless personas.yaml lists its tools. `stages`: stage name -> function that replaces the built-in
    stage.
    """

    id: str
    title: str
    prompt: str
    port: int = 0
    intents: tuple[str, ...] = ()
    documents: Mapping[str, str] = MappingProxyType({})
    collections: tuple[str, ...] = ()
    collections_only: bool = False
    tiers: tuple[Tier, ...] = MODEL_TIERS
    models: Mapping[Tier, tuple[ModelSpec, ...]] = MappingProxyType({})
    daily_budget: float | None = None
    cancel_on_disconnect: bool = False
    tools: tuple[str, ...] = ()
    optional_tools: tuple[str, ...] = ()
    policy: Policy = Policy()
    stages: Mapping[str, StageFunction] = MappingProxyType({})

    def writes_of(self, tool: Tool) -> Literal["never", "deny", "ask", "auto"]:
        """What the policy makes of a tool's writes; the tool's own rule about a call may be stricter."""
        if tool.effect == "read":
            return "never"
        if self.policy.suggest_only:
            return "deny"
        return "auto" if tool.name in self.policy.auto else "ask"
