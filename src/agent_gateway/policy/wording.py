"""What is told about calls that a human decides on, and about effects."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from agent_gateway.approval import Approval, ApprovalStatus
from agent_gateway.errors import GatewayError
from agent_gateway.policy.output import clean
from agent_gateway.redaction import redact
from agent_gateway.tool import Outcome, Tool, ToolCall, Verification
from agent_gateway.unseen import show_unseen

NO_DECISION = "Not done: no human has decided on this call."
_LONGEST_ARGUMENTS = 500
_REFUSALS: Mapping[ApprovalStatus, str] = {
    "pending": "This waits for a human's decision.",
    "rejected": "Not done: a human rejected it",
    "expired": "Not done: nobody decided in time.",
    "spent": "Not done: the approval was used already.",
    "void": "Not done: the run had ended.",
}
_OUTCOMES: Mapping[Outcome, str] = {
    "done": "Verified",
    "not_done": "It has not happened",
    "unknown": "Whether it happened is not known",
}


def describe_call(call: ToolCall) -> str:
    """A call in one line, for a tool that cannot say what it would change."""
    arguments = redact(show_unseen(msgspec.json.encode(call.arguments, enc_hook=str).decode()))
    if len(arguments) > _LONGEST_ARGUMENTS:
        more = f"... ({len(arguments)} characters: look at all of its arguments)"
        arguments = arguments[: _LONGEST_ARGUMENTS - len(more)] + more
    return f"Call {call.name} with {arguments}"


def tell_refusal(approval: Approval) -> str:
    """Why a call is not made that has no human's yes."""
    text = _REFUSALS.get(approval.status, NO_DECISION)
    if approval.status == "rejected":
        text += f", saying: {redact(clean(approval.comment))}" if approval.comment else "."
    return text


def tell_verification(verified: Verification) -> str:
    """The world's word on an effect."""
    return f"{_OUTCOMES[verified.outcome]}: {verified.text.rstrip('.')}."


def show_error(found: Tool, error: GatewayError) -> str:
    """An error of a tool as it may be seen."""
    return redact(clean(str(error)), found.redact)[: found.output_limit]
