"""Checks a provider of language models that a plugin registers."""

from __future__ import annotations

import re

from agent_gateway.completion import ModelProvider
from agent_gateway.errors import InvalidInput

PROVIDER_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")


def settle_provider(given: ModelProvider) -> None:
    """Check a provider; raises `InvalidInput` with what is wrong."""
    if not isinstance(given.name, str) or not PROVIDER_NAME.fullmatch(given.name):
        detail = "must be lowercase letters, digits, hyphens and underscores: models are called by it and a slash"
        raise InvalidInput(f"register_models: '{given.name}' {detail}")
    if not callable(given.connect):
        raise InvalidInput(f"register_models: the connect of '{given.name}' must be a function of a ModelSpec")
