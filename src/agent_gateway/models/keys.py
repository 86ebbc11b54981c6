"""The key that is shown to a model's server, read anew for each request: files of secrets are rotated."""

from __future__ import annotations

import os
from pathlib import Path

from agent_gateway.completion import ModelSpec
from agent_gateway.models.failures import key_missing


def read_key(spec: ModelSpec) -> str | None:
    """The key, or None when the model needs none; `ModelFailed` when the one it needs is not there."""
    if spec.key_env:
        return _check(spec, os.environ.get(spec.key_env, ""), f"the environment variable {spec.key_env}")
    if spec.key_file:
        named = f"the file {spec.key_file}"
        try:
            text = Path(spec.key_file).read_text(encoding="utf-8")
        except OSError as error:
            raise key_missing(spec, f"{named} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise key_missing(spec, f"{named} is no text") from error
        return _check(spec, text, named)
    return None


def _check(spec: ModelSpec, text: str, named: str) -> str:
    """A key goes into a header: one line of visible ASCII."""
    key = text.strip()
    if not key:
        raise key_missing(spec, f"{named} is empty or not set")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise key_missing(spec, f"{named} holds no key: it must be one word of ASCII")
    return key
