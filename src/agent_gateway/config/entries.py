"""`personas.yaml`: which personas are served, and what differs from what their plugins say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from pydantic import AfterValidator, Field, PlainValidator

from agent_gateway.config.models import Entries, ModelTier
from agent_gateway.config.scalars import Count, Number, Section
from agent_gateway.config.wording import suggest
from agent_gateway.persona import Policy

PERSONA_ID = re.compile(r"[a-z][a-z0-9-]{0,62}")
COLLECTION_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")

#: Remembered interactions: recalled beside the documents, never a place for them.
INTERACTIONS = "agent-interactions"


def check_id(value: str) -> str:
    """Refuse what is no persona id: it stands in addresses and file names."""
    if not PERSONA_ID.fullmatch(value):
        raise ValueError("must be lowercase letters, digits and hyphens, start with a letter, at most 63 characters")
    return value


def check_collection(value: str) -> str:
    """Refuse what is no name of a collection."""
    if not COLLECTION_NAME.fullmatch(value):
        raise ValueError("must be lowercase letters, digits, hyphens and underscores, at most 63 characters")
    return value


def check_target(value: str) -> str:
    """Refuse the collection of remembered interactions as a place for documents."""
    if value == INTERACTIONS:
        raise ValueError(f"'{INTERACTIONS}' holds remembered interactions, not documents")
    return value


def check_text(value: str) -> str:
    """Refuse text that says nothing."""
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def read_policy(value: Any) -> Policy:
    """Turn a mapping into a policy; raises `ValueError`, which pydantic collects."""
    if isinstance(value, Policy):
        return value
    if not isinstance(value, Mapping):
        raise ValueError("must be a mapping")  # noqa: TRY004 - pydantic collects ValueError only
    for key in value:
        if key not in Policy.__struct_fields__:
            raise ValueError(f"'{key}' is not a known key; {suggest(str(key), Policy.__struct_fields__)}")
    try:
        return msgspec.convert(value, Policy)
    except msgspec.ValidationError as exc:
        raise ValueError(str(exc)) from exc


PersonaId = Annotated[str, AfterValidator(check_id)]
Text = Annotated[str, AfterValidator(check_text)]
Collection = Annotated[str, AfterValidator(check_collection)]
DocumentTarget = Annotated[Collection, AfterValidator(check_target)]


class PersonaEntry(Section):
    """One persona of personas.yaml; what is None is as its plugin says.

    `documents` maps a folder, relative to personas.yaml, to the collection it is ingested into.
    """

    port: Annotated[Count, Field(ge=1, le=65535)] | None = None
    title: Text | None = None
    prompt: Text | None = None
    intents: tuple[Text, ...] | None = None
    documents: Mapping[Text, DocumentTarget] | None = None
    collections: tuple[Collection, ...] | None = None
    collections_only: bool | None = None
    tiers: tuple[ModelTier, ...] | None = None
    models: Mapping[ModelTier, Entries] | None = None
    daily_budget: Annotated[Number, Field(ge=0)] | None = None
    cancel_on_disconnect: bool | None = None
    tools: tuple[Text, ...] | None = None
    policy: Annotated[Policy, PlainValidator(read_policy)] | None = None


class PersonasFile(Section):
    """The whole file. With `only_listed`, a dropped-in persona is not served until it is listed here."""

    only_listed: bool = False
    personas: Mapping[PersonaId, PersonaEntry] = {}
