"""The composition root: a gateway made of its parts.

Importing it loads nothing heavy; `Gateway.start` does, in worker threads.
"""

from __future__ import annotations

from agent_gateway.gateway.composition import Gateway
from agent_gateway.gateway.parts import Parts

__all__ = ["Gateway", "Parts"]
