"""Finds every secret of a text, and replaces it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

from agent_gateway.redaction.addresses import find_in_addresses
from agent_gateway.redaction.assignments import find_assigned, find_named_pairs
from agent_gateway.redaction.codes import find_codes
from agent_gateway.redaction.encodings import find_encoded
from agent_gateway.redaction.known import known_secrets
from agent_gateway.redaction.kubernetes import find_secret_data
from agent_gateway.redaction.layout import find_behind, unmark
from agent_gateway.redaction.names import HINTS
from agent_gateway.redaction.shapes import find_shapes
from agent_gateway.redaction.splitting import find_split
from agent_gateway.redaction.tokens import Span, find_mirrored, find_tokens
from agent_gateway.redaction.views import concatenate, find_spaced, unescape

#: What stands where a secret stood.
MARK = "[redacted]"
#: A secret that is encoded more often than this is not found.
LAYERS = 3
#: Nothing shorter is a secret.
SHORTEST = 5

Patterns: TypeAlias = "Sequence[re.Pattern[str] | str]"


def redact(text: str, extra: Patterns = ()) -> str:
    """Replace every secret of a text by `[redacted]`; done twice it is as if done once.

    `extra` are regular expressions of more secrets: of their first group, or of all they match. Linear time.
    """
    if len(text) < SHORTEST:
        return text
    return _replace(text, _find(text, LAYERS, extra))


def has_secret(text: str) -> bool:
    """Tell whether `redact` would change a text."""
    return redact(text) != text


def _find(text: str, layers: int, extra: Patterns = ()) -> list[Span]:
    """Where the secrets are, in any order."""
    lower = _lower(text)
    found = [*find_tokens(text), *known_secrets.find(text), *find_shapes(text, lower), *find_in_addresses(text)]
    if any(hint in lower for hint in HINTS):
        found += find_assigned(text, lower)
        found += find_secret_data(text)
        found += find_named_pairs(text, lower)
    for pattern in extra:
        found += _find_extra(text, pattern)
    found += find_mirrored(text)
    found += find_split(text, known_secrets.signs)
    if layers:
        found += _find_veiled(text, layers - 1, extra)
    return found


def _lower(text: str) -> str:
    """The text in small letters, each where it was."""
    lower = text.lower()
    # A few letters have a small form of two characters.
    return lower if len(lower) == len(text) else "".join(each.lower() if each.isascii() else each for each in text)


def _find_veiled(text: str, layers: int, extra: Patterns) -> Iterator[Span]:
    """Yield what is found once escapes, spaces, marks, the beginnings of lines or an encoding are taken off."""
    views = (*unescape(text), *concatenate(text), *find_spaced(text), *unmark(text), *find_behind(text))
    for at, view in views:
        if view.text != text:
            for start, end in _find(view.text, layers, extra):
                first, last = view.origin(start, end)
                yield at + first, at + last
    yield from find_encoded(text, lambda inside: _find(inside, layers, extra))
    yield from find_codes(text, lambda inside: _find(inside, layers, extra))


def _find_extra(text: str, pattern: re.Pattern[str] | str) -> Iterator[Span]:
    compiled = _compile(pattern) if isinstance(pattern, str) else pattern
    for found in compiled.finditer(text):
        group = 1 if compiled.groups and found[1] is not None else 0
        if found[group]:
            yield found.span(group)


@lru_cache(maxsize=256)
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _replace(text: str, found: Iterable[Span]) -> str:
    """The text with marks instead of the spans; what touches becomes one."""
    parts: list[str] = []
    done = 0
    for start, end in sorted(found):
        if start > done or not parts:
            parts += (text[done:start], MARK)
        done = max(done, end)
    return "".join((*parts, text[done:])) if parts else text
