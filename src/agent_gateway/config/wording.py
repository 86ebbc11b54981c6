"""How faults are worded: hints for misspelt names, short values, never a secret."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from agent_gateway.config.schema import KeyPath

SECRET = re.compile(r"key|token|secret|password", re.IGNORECASE)
#: Settings that are called like a secret and are none: counts, and where a secret is to be found.
NO_SECRETS = frozenset({"tokens", "max_tokens", "tokenizer", "key_env", "key_file"})
HIDDEN = "(hidden)"


def suggest(word: str, known: Iterable[str]) -> str:
    """Return the hint for an unknown name: what was probably meant, or what there is."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known are: {', '.join(names)}" if names else ""


def is_secret(path: KeyPath) -> bool:
    """Tell whether a key's value must never be shown."""
    return any(SECRET.search(part) and part not in NO_SECRETS for part in path)


def show(value: Any) -> str:
    """Render a value for a fault: one short line; what is inside a mapping or list stays there."""
    if isinstance(value, Mapping):
        return ""
    if isinstance(value, list | tuple | set):
        return "a list"
    text = "nothing" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    text = " ".join(text.split()) or '""'
    return text if len(text) <= 60 else f"{text[:57]}..."


def secrets_in(values: Any, path: KeyPath = ()) -> frozenset[str]:
    """Collect the texts under secret keys of nested values; one or two characters are no secret worth scrubbing."""
    if isinstance(values, Mapping):
        return frozenset().union(*(secrets_in(value, (*path, str(key))) for key, value in values.items()))
    if isinstance(values, list | tuple):
        return frozenset().union(*(secrets_in(value, path) for value in values))
    text = "" if values is None else str(values)
    return frozenset({text}) if is_secret(path) and len(text) >= 3 else frozenset()


def scrub(text: str, secrets: Iterable[str]) -> str:
    """Take secrets out of a sentence somebody else's code wrote, longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def reword(message: str) -> str:
    """Turn a pydantic message into one that continues "server.port: ..."."""
    rewordings = {
        r"^(Value|Assertion) error, ": "",
        r"^Field required$": "is required",
        r"^(Input|String|Value|List|Tuple|Dictionary) should ": "must ",
        r"be a valid (dictionary|mapping).*": "be a mapping",
        r"be a valid integer.*": "be a whole number",
        r"be a valid number.*": "be a number",
        r"be a valid string": "be text",
        r"be a valid (tuple|list)": "be a list",
    }
    for pattern, replacement in rewordings.items():
        message = re.sub(pattern, replacement, message)
    return message
