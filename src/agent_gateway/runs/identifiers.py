"""Identifiers that sort by time, times that never repeat, and the title of a conversation."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta

TITLE_LENGTH = 80


def new_id(prefix: str) -> str:
    """`<prefix>_` and 32 hexadecimal digits: 48 bits of milliseconds, 80 random ones, so that ids sort by time."""
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


class Clock:
    """UTC times as fixed-width ISO 8601 text (microseconds, `Z`), each later than the one before.

    Lists are paged by these times, so two of them must never be equal.
    """

    def __init__(self) -> None:
        self._last = datetime.min.replace(tzinfo=UTC)

    def now(self) -> str:
        """The present time, or the first one after the last given."""
        self._last = max(datetime.now(UTC), self._last + timedelta(microseconds=1))
        return self._last.isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"


def title_of(message: str) -> str:
    """The start of a message on one line."""
    line = " ".join(message[: 4 * TITLE_LENGTH].split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"
