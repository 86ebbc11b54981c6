"""Checks what a plugin says of a persona, and lets personas.yaml override it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from agent_gateway.config import PERSONA_ID, Origins, PersonaEntry, suggest, to_specs, validate_section
from agent_gateway.errors import InvalidInput
from agent_gateway.persona import STAGES, Persona

#: The fields personas.yaml may override: all but `id` and `stages`.
FIELDS = tuple(PersonaEntry.model_fields)


def settle_persona(given: Persona) -> Persona:
    """Check a plugin's persona by the rules of personas.yaml; returns it with exact types, or raises `InvalidInput`."""
    values = {name: getattr(given, name) for name in FIELDS}
    if isinstance(given.documents, Mapping):
        values["documents"] = {str(path): collection for path, collection in given.documents.items()}
    if given.port == 0 and given.port is not False:
        del values["port"]
    if given.daily_budget is None:
        del values["daily_budget"]
    entry, faults = validate_section(PersonaEntry, values, Origins(), ())
    texts = [f"{fault.key}: {fault.detail}" + (f" (is {fault.value})" if fault.value else "") for fault in faults]
    texts += [f"{name}: is required" for name, value in values.items() if value is None]
    texts += other_faults(given)
    if texts or entry is None:
        raise InvalidInput(f"persona '{given.id}': {'; '.join(texts)}")
    return override(given, entry)


def other_faults(given: Persona) -> Iterator[str]:
    """Yield what is wrong with the fields that only a plugin can set."""
    if not isinstance(given.id, str) or not PERSONA_ID.fullmatch(given.id):
        yield "id: must be lowercase letters, digits and hyphens and start with a letter"
    stages: Any = given.stages
    if not isinstance(stages, Mapping):
        yield "stages: must map a stage's name to an async function"
        return
    for name, stage in stages.items():
        if name not in STAGES:
            yield f"stages: there is no stage '{name}'; {suggest(str(name), STAGES)}"
        elif not callable(stage):
            yield f"stages: '{name}' must be an async function of state and context"


def override(persona: Persona, entry: PersonaEntry) -> Persona:
    """Return a persona with every field that the entry gives."""
    given = {name: getattr(entry, name) for name in FIELDS if getattr(entry, name) is not None}
    if "documents" in given:
        given["documents"] = MappingProxyType(dict(given["documents"]))
    if "models" in given:
        given["models"] = MappingProxyType(to_specs(given["models"]))
    return msgspec.structs.replace(persona, **given)


def missing_fields(entry: PersonaEntry) -> tuple[str, ...]:
    """List what a persona without plugin still needs."""
    return tuple(name for name in ("port", "title", "prompt") if getattr(entry, name) is None)
