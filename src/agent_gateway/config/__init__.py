"""Gateway settings and personas.yaml, as frozen, validated objects; unknown keys are faults."""

from __future__ import annotations

from agent_gateway.config.configuration import Configuration, load_configuration, read_configuration
from agent_gateway.config.entries import COLLECTION_NAME, INTERACTIONS, PERSONA_ID, PersonaEntry
from agent_gateway.config.environment import PLUGINS_VARIABLE
from agent_gateway.config.layers import Layer, Origins
from agent_gateway.config.models import DEFAULT_MODELS, OLLAMA_ADDRESS, ModelsSettings, to_specs
from agent_gateway.config.settings import (
    ClassifySettings,
    KnowledgeSettings,
    LogSettings,
    RetrieveSettings,
    RouteSettings,
    RouteThresholds,
    RouteWeights,
    RunsSettings,
    ServerSettings,
    Settings,
    ToolSettings,
)
from agent_gateway.config.validation import validate, validate_section
from agent_gateway.config.wording import suggest

__all__ = [
    "COLLECTION_NAME",
    "DEFAULT_MODELS",
    "INTERACTIONS",
    "OLLAMA_ADDRESS",
    "PERSONA_ID",
    "PLUGINS_VARIABLE",
    "ClassifySettings",
    "Configuration",
    "KnowledgeSettings",
    "Layer",
    "LogSettings",
    "ModelsSettings",
    "Origins",
    "PersonaEntry",
    "RetrieveSettings",
    "RouteSettings",
    "RouteThresholds",
    "RouteWeights",
    "RunsSettings",
    "ServerSettings",
    "Settings",
    "ToolSettings",
    "load_configuration",
    "read_configuration",
    "suggest",
    "to_specs",
    "validate",
    "validate_section",
]
