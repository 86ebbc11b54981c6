"""The gate: whether a call may be made. Every call passes it, whoever asks and through whichever door."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from agent_gateway.messages import Role
from agent_gateway.persona import Persona
from agent_gateway.tool import READ_MORE, Tool, ToolCall, Verdict, stricter

#: Asks the plugins whether one of them vetoes a call by a persona for an owner; empty when none does.
Veto: TypeAlias = Callable[[ToolCall, Persona, str], str]

_ALLOW = Verdict(decision="allow")


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """For whom a call is made. `automatic`: no model chose it with untrusted text before it."""

    persona: Persona
    owner: str
    roles: tuple[Role, ...]
    automatic: bool = False


class Gate:
    """Decides on calls: the strictest of the tool's own rule, the persona's policy, and who asks."""

    def __init__(self, veto: Veto) -> None:
        self._veto = veto

    def decide(self, asker: Asker, tool: Tool, call: ToolCall) -> Verdict:
        """Allow, ask or deny, with a reason; `call.arguments` are of the tool's types.

        Only a plugin's code can make this raise: the tool's, in its `effect` and `judge`.
        """
        refusal = refuse_stranger(asker.persona, tool.name)
        if refusal is not None:
            return refusal
        verdict = tool.judge_call(call.arguments)
        if tool.effect_of(call.arguments) == "write":
            verdict = stricter(_for_write(asker), self._ease(asker, tool, verdict))
        if verdict.decision == "deny":
            return verdict
        if reason := self._veto(call, asker.persona, asker.owner):
            return Verdict(decision="deny", reason=f"A plugin refuses this call: {reason}")
        return verdict

    @staticmethod
    def _ease(asker: Asker, tool: Tool, verdict: Verdict) -> Verdict:
        """A write that the persona's policy makes automatic, where that is safe, is not asked about."""
        if verdict.decision != "ask" or tool.name not in asker.persona.policy.auto:
            return verdict
        if asker.automatic:
            return _ALLOW
        return Verdict(
            decision="ask",
            reason=f"'{tool.name}' is automatic, but this call was chosen after reading text that nobody vouches for.",
        )


def _for_write(asker: Asker) -> Verdict:
    """What a write may be at best."""
    if asker.persona.policy.suggest_only:
        return Verdict(decision="deny", reason=f"{asker.persona.id} only suggests changes and carries none out.")
    if "operator" not in asker.roles:
        return Verdict(decision="deny", reason="Who asks may look, but has not the role to change anything.")
    return _ALLOW


def refuse_stranger(persona: Persona, name: str) -> Verdict | None:
    """The refusal of a tool that is not the persona's, whatever its arguments; None for one of its own."""
    if name in persona.tools or name == READ_MORE:
        return None
    return Verdict(decision="deny", reason=f"{persona.id} may not use the tool '{name}'.")
