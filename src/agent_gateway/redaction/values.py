"""Secrets in nested JSON values, by the names of their keys too."""

from __future__ import annotations

from typing import Any

from agent_gateway.redaction.finding import HIDDEN, redact


def redact_value(value: Any) -> Any:
    """A JSON value with every text in it redacted, also by the names of the keys beside."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redact_item(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [redact_value(each) for each in value]
    return value


def _redact_item(key: str, value: Any) -> Any:
    if isinstance(value, str) and redact(f'{key}: "{value}"') != f'{key}: "{value}"':
        return redact(value) if redact(value) != value else HIDDEN
    return redact_value(value)
