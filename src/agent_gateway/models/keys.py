"""The key that is shown to a model's server and nobody else, read anew for each request: files are rotated."""

from __future__ import annotations

import os
import re
from pathlib import Path

from agent_gateway.completion import ModelSpec
from agent_gateway.errors import ModelFailed
from agent_gateway.models.naming import subject
from agent_gateway.redaction import known_secrets

#: What is shown in the place of a key.
HIDDEN = "***"
#: A key of so many characters is no part of a word.
_LONG_KEY = 8
_LIKE_A_KEY = re.compile(
    r"""(\bbearer[\s:]+|\bapi[ _-]?key(?: provided)?["']?\s*[:=]\s*["']?|\b(?=(?:sk|pk|gsk|hf|xai|nvapi)[-_]))"""
    r"""[^\s"',;}]{4,}""",
    re.IGNORECASE,
)


def read_key(spec: ModelSpec) -> str | None:
    """The key, or None when the model needs none; `ModelFailed` when the one it needs is not there."""
    if spec.key_env:
        return _check(spec, os.environ.get(spec.key_env, ""), f"the environment variable {spec.key_env}")
    if spec.key_file:
        named = f"the file {spec.key_file}"
        try:
            text = Path(spec.key_file).read_text(encoding="utf-8")
        except OSError as error:
            raise _missing(spec, f"{named} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise _missing(spec, f"{named} is no text") from error
        return _check(spec, text, named)
    return None


def hide_keys(spec: ModelSpec, text: str) -> str:
    """A server's words without the key it was shown, and without what looks like one: servers repeat keys."""
    try:
        key = read_key(spec)
    except ModelFailed:
        key = None
    if key is not None:
        # A short key may be a part of words that are none.
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(key)}(?![A-Za-z0-9])", HIDDEN, text)
        text = text.replace(key, HIDDEN) if len(key) >= _LONG_KEY else text
    return _LIKE_A_KEY.sub(rf"\1{HIDDEN}", text)


def _missing(spec: ModelSpec, why: str) -> ModelFailed:
    return ModelFailed(f"the key of {subject(spec)} is missing: {why}", code="model_key_missing")


def _check(spec: ModelSpec, text: str, named: str) -> str:
    """A key goes into a header: one line of visible ASCII. From here on it is a secret in every text."""
    key = text.strip()
    if not key:
        raise _missing(spec, f"{named} is empty or not set")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise _missing(spec, f"{named} holds no key: it must be one word of ASCII")
    known_secrets.register(key)
    return key
