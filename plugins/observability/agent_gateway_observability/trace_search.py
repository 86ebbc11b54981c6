"""What is looked for among the traces."""

from __future__ import annotations

import re
import time

import msgspec

import agent_gateway as ag

from .settings import Limits
from .windows import Window, parse_duration, show_seconds, window_since

#: So many traces are read in full.
DETAILED = 10
_TRACE_ID = re.compile(r"[0-9a-f]{1,32}")


class TraceSearch(msgspec.Struct, frozen=True, kw_only=True):
    """A search; without a service it is about all of them. `min_seconds` is 0 when any duration will do."""

    service: str
    window: Window
    min_seconds: float
    only_errors: bool
    limit: int

    @property
    def told(self) -> str:
        """As the beginning of a sentence's rest."""
        parts = [f"of {self.service}"] if self.service else []
        parts += ["with errors"] if self.only_errors else []
        parts += [f"of {show_seconds(self.min_seconds)} or longer"] if self.min_seconds else []
        return " ".join(["traces", *parts, f"in the last {show_seconds(self.window.length)}"])


def read_search(
    service: str, since: str, min_duration: str, *, only_errors: bool, limit: int, limits: Limits
) -> TraceSearch:
    """The search that arguments mean; `InvalidInput` for those that mean none."""
    if not 1 <= limit <= limits.traces:
        raise ag.InvalidInput(f"limit must be from 1 to {limits.traces}", code="invalid_limit")
    if len(service) > 200 or not service.isprintable():
        raise ag.InvalidInput("service is no name of a service", code="invalid_service")
    return TraceSearch(
        service=service.strip(),
        window=window_since(since, time.time(), limits.trace_range_seconds),
        min_seconds=parse_duration(min_duration) if min_duration else 0.0,
        only_errors=only_errors,
        limit=limit,
    )


def check_trace_id(written: str) -> str:
    """The id of a trace in lower case; `InvalidInput` when it is none."""
    trace_id = written.strip().lower()
    if not _TRACE_ID.fullmatch(trace_id):
        raise ag.InvalidInput("a trace's id has up to 32 hexadecimal digits", code="invalid_trace_id")
    return trace_id
