"""Who sees which collections, asked anew each time: ingesting makes collections while the gateway runs."""

from __future__ import annotations

from agent_gateway.interfaces import Knowledge
from agent_gateway.persona import Persona
from agent_gateway.registry import Registry


class Visibility:
    """The registry's rules applied to the collections that exist now."""

    def __init__(self, registry: Registry, knowledge: Knowledge) -> None:
        self._registry = registry
        self._knowledge = knowledge
        self._personas = {each.persona.id: each.persona for each in registry.served}

    def visible_to(self, persona_id: str) -> tuple[str, ...]:
        """The collections a persona may search at all."""
        return self.collections(self._personas[persona_id], None)

    def intents_of(self, persona_id: str) -> tuple[str, ...]:
        """The intents a persona understands."""
        return self._registry.intents_of(self._personas[persona_id])

    def collections(self, persona: Persona, intent: str | None) -> tuple[str, ...]:
        """The collections searched for an intent; without one, all that the persona may search."""
        existing = self._knowledge.names()
        if intent is None:
            return self._registry.visible_collections(persona, existing)
        return self._registry.collections_for(persona, intent, existing)
