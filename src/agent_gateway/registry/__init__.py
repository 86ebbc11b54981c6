"""What the plugins registered and what is served of it, checked for duplicates and typos."""

from __future__ import annotations

from agent_gateway.registry.build import build_registry
from agent_gateway.registry.documents import RegisteredFolder
from agent_gateway.registry.held_secrets import held_secrets
from agent_gateway.registry.registry import Registry, ServedPersona
from agent_gateway.registry.roster import UnservedPersona

__all__ = ["RegisteredFolder", "Registry", "ServedPersona", "UnservedPersona", "build_registry", "held_secrets"]
