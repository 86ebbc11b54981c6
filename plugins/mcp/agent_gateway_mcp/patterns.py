"""Patterns of a server's schemas, matched without ever taking long.

Python's own engine goes back and tries again: one pattern of a few characters can keep it, and everybody who waits for
the interpreter, busy for ever, and no timeout ends that. So they are matched by Rust's `regex`, which comes with
pydantic and reads each character once. What it does not know (look-around, back references) is left to the server.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import SchemaError, SchemaValidator, core_schema

#: Making a machine of a pattern takes time, too: what is not ready after so many seconds is left to the server.
_SECONDS = 0.5
_LONGEST = 1000


class Patterns:
    """The patterns of one schema, made ready."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        until = time.perf_counter() + _SECONDS
        self._ready: dict[str, SchemaValidator] = {}
        for pattern in dict.fromkeys(_patterns(schema)):
            if len(pattern) <= _LONGEST and time.perf_counter() < until:
                try:
                    self._ready[pattern] = SchemaValidator(
                        core_schema.str_schema(pattern=pattern, regex_engine="rust-regex")
                    )
                except SchemaError:
                    continue

    def match(self, pattern: str, text: str) -> bool | None:
        """Whether a pattern is found in a text; None when only the server can tell."""
        ready = self._ready.get(pattern)
        return None if ready is None else ready.isinstance_python(text)


def _patterns(value: Any) -> Iterator[str]:
    """Every text that may be a pattern: also where it is none, which costs nothing but a moment."""
    if isinstance(value, Mapping):
        found = value.get("pattern")
        if isinstance(found, str):
            yield found
        named = value.get("patternProperties")
        yield from named if isinstance(named, Mapping) else ()
    below = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for each in below:
        yield from _patterns(each)
