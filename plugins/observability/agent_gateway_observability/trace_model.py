"""Traces as the analysis sees them, whichever server they came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import msgspec


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work. `start` is in seconds since 1970, `duration` in seconds; `parent` is empty at the root."""

    id: str
    parent: str
    service: str
    name: str
    start: float
    duration: float
    failed: bool = False
    #: What it says about its failure: a message, or the status of a response.
    message: str = ""

    @property
    def end(self) -> float:
        """Seconds since 1970."""
        return self.start + self.duration

    @property
    def title(self) -> str:
        """Service and work."""
        return f"{self.service}: {self.name}"


class Trace:
    """The spans of one request, at most as many as are looked at. `whole`: not only what a search tells of it."""

    def __init__(self, trace_id: str, spans: Iterable[Span], most: int, *, whole: bool = True) -> None:
        ordered = sorted(spans, key=lambda span: (span.start, -span.duration))
        self.id = trace_id
        self.whole = whole
        self.spans: Sequence[Span] = ordered[:most]
        self.left_out = len(ordered) - len(self.spans)

    @cached_property
    def by_id(self) -> Mapping[str, Span]:
        """The spans by their ids."""
        return {span.id: span for span in self.spans}

    @cached_property
    def children(self) -> Mapping[str, Sequence[Span]]:
        """The spans below each span, by its id, in the order of their starts."""
        found: dict[str, list[Span]] = {}
        for span in self.spans:
            if span.parent in self.by_id and span.parent != span.id:
                found.setdefault(span.parent, []).append(span)
        return found

    @cached_property
    def roots(self) -> Sequence[Span]:
        """Spans whose parent is not there, the longest first."""
        found = [span for span in self.spans if span.parent not in self.by_id or span.parent == span.id]
        return sorted(found, key=lambda span: -span.duration)

    @property
    def root(self) -> Span | None:
        """Where it begins; None without any span, or when each span is below another."""
        return self.roots[0] if self.roots else None

    @property
    def start(self) -> float:
        """Seconds since 1970."""
        return self.spans[0].start if self.spans else 0.0

    @property
    def duration(self) -> float:
        """Seconds from the first start to the last end."""
        return max(span.end for span in self.spans) - self.start if self.spans else 0.0

    @property
    def failed(self) -> Sequence[Span]:
        """The spans that failed."""
        return [span for span in self.spans if span.failed]
