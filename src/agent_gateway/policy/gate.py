"""The gate: whether a persona may make a call. Every call passes it, whoever asks and through whichever door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from agent_gateway.persona import Persona
from agent_gateway.tool import READ_MORE, Tool

Decision = Literal["allow", "ask", "deny"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate decided; `reason` is one sentence, empty when the call is allowed."""

    decision: Decision
    reason: str = ""


def decide(persona: Persona, tool: Tool, arguments: Mapping[str, Any]) -> Verdict:
    """The verdict on one call; the stricter of the tool's effect and the persona's policy.

    A write needs a human's approval, and as long as nobody can give one it is denied.
    """
    refusal = refuse_stranger(persona, tool.name)
    if refusal is not None:
        return refusal
    if tool.effect_of(arguments) == "read":
        return Verdict(decision="allow")
    if persona.policy.suggest_only:
        return Verdict(decision="deny", reason=f"{persona.id} only suggests changes and carries none out.")
    return Verdict(decision="deny", reason=f"'{tool.name}' changes something, and approvals are not configured.")


def refuse_stranger(persona: Persona, name: str) -> Verdict | None:
    """The refusal of a tool that is not the persona's, whatever its arguments; None for one of its own."""
    if name in persona.tools or name == READ_MORE:
        return None
    return Verdict(decision="deny", reason=f"{persona.id} may not use the tool '{name}'.")
