"""What a model is called in sentences."""

from __future__ import annotations

from agent_gateway.completion import ModelSpec


def subject(spec: ModelSpec) -> str:
    """The model, and where it is when that was configured."""
    return f"{spec.model} at {spec.address}" if spec.address else spec.model
