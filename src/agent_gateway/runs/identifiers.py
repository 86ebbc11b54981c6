"""Identifiers that sort by time, times that never repeat, and the title of a conversation."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from agent_gateway.errors import InvalidInput

TITLE_LENGTH = 80
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_id(prefix: str) -> str:
    """`<prefix>_` and 32 hexadecimal digits: 48 bits of milliseconds, 80 random ones, so that ids sort by time."""
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


class Moment(NamedTuple):
    """A time: as it is stored, and to be compared with others, in microseconds since 1970, UTC."""

    text: str
    microseconds: int


def moment_of(text: str) -> Moment:
    """An ISO 8601 time, UTC where it does not say; `InvalidInput` when it is none."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no ISO 8601 time", code="invalid_time") from error
    known = parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
    return Moment(text, (known - _EPOCH) // _MICROSECOND)


class Clock:
    """UTC times as fixed-width ISO 8601 text (microseconds, `Z`), each later than the one before.

    Lists are paged by these times, so two of them must never be equal.
    """

    def __init__(self) -> None:
        self._last = datetime.min.replace(tzinfo=UTC)

    def now(self) -> str:
        """The present time, or the first one after the last given."""
        self._last = max(datetime.now(UTC), self._last + _MICROSECOND)
        return self._last.isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"


def title_of(message: str) -> str:
    """The start of a message on one line."""
    line = " ".join(message[: 4 * TITLE_LENGTH].split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"
