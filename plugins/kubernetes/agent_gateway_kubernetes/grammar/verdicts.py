"""The three decisions, as short as they are needed."""

from __future__ import annotations

import agent_gateway as ag

_ALLOWED = ag.Verdict(decision="allow")


def allow() -> ag.Verdict:
    """It is run at once."""
    return _ALLOWED


def ask(reason: str) -> ag.Verdict:
    """A human decides."""
    return ag.Verdict(decision="ask", reason=reason)


def deny(reason: str) -> ag.Verdict:
    """It is never run."""
    return ag.Verdict(decision="deny", reason=reason)
