"""The names of the gateway's own commands."""

from __future__ import annotations

#: In the order of the help text; no plugin may take one of them.
OWN_COMMANDS = (
    "serve",
    "ask",
    "chat",
    "ingest",
    "search",
    "collections",
    "forget",
    "personas",
    "plugins",
    "tools",
    "approvals",
    "policy",
    "route",
    "usage",
    "audit",
    "keys",
    "check",
    "doctor",
)
