"""Secrets that the gateway itself holds: exact values, whatever they look like."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from urllib.parse import quote

#: Anything shorter, such as a password "admin", is part of ordinary words.
SHORTEST = 8
#: From this length on its encoded form is found by decoding.
_DECODED_FROM = 12


class KnownSecrets:
    """Values that are secrets wherever they appear, in the whole process, from being registered to being released."""

    def __init__(self) -> None:
        self.values: tuple[str, ...] = ()
        #: The values, and what they look like in URLs, base64 and hexadecimal where decoding would not find them.
        self.forms: tuple[str, ...] = ()

    def register(self, *values: str) -> None:
        """Make values secrets; one of fewer than eight characters is not taken, it would be found in ordinary words."""
        lines = {value.strip() for value in values}
        fresh = [value for value in lines if len(value) >= SHORTEST and value not in self.values]
        if fresh:
            self._hold((*self.values, *fresh))

    def release(self, *values: str) -> None:
        """Hide these no longer: they open nothing any more."""
        lines = {value.strip() for value in values}
        self._hold(value for value in self.values if value not in lines)

    def clear(self) -> None:
        """Forget all values."""
        self.values = self.forms = ()

    def _hold(self, values: Iterable[str]) -> None:
        # Replaced, not changed: other threads are reading.
        self.values = tuple(sorted(values, key=len, reverse=True))
        self.forms = tuple(sorted({form for value in self.values for form in _forms(value)}, key=len, reverse=True))


def _forms(value: str) -> set[str]:
    forms = {value, quote(value), quote(value, safe="")}
    if len(value) < _DECODED_FROM:
        raw = value.encode()
        forms |= {raw.hex(), raw.hex().upper()}
        for shift in range(3):
            # Only the characters that depend on nothing before or after the value.
            encoded = base64.b64encode(b"\0" * shift + raw)
            core = encoded[(0, 2, 3)[shift] : (shift + len(raw)) * 8 // 6].decode()
            forms |= {core, core.replace("+", "-").replace("/", "_")}
    return forms


known_secrets = KnownSecrets()
