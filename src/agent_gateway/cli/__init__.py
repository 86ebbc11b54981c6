"""The command line: `agent-gateway` and `python -m agent_gateway`."""

from __future__ import annotations

from agent_gateway.cli.app import main

__all__ = ["main"]
