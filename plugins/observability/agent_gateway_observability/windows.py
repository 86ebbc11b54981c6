"""Moments, lengths of time, and the steps of a range."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import NamedTuple

import agent_gateway as ag

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_LENGTH = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdwy]))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])")
_RELATIVE = re.compile(r"now(?:\s*-\s*(\S+))?")
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
#: A plain range has about so many points.
_USUAL_POINTS = 120
_LATEST = 4e9


class Window(NamedTuple):
    """From `start` to `end`, in seconds since 1970; the two are equal for one moment."""

    start: float
    end: float

    @property
    def length(self) -> float:
        """Seconds."""
        return self.end - self.start


def parse_duration(text: str) -> float:
    """Seconds of `30m`, `1h30m`, `500ms` or `2d`; `InvalidInput` for anything else."""
    text = text.strip()
    if not _LENGTH.fullmatch(text):
        raise ag.InvalidInput(f"'{text[:40]}' is no length of time", code="invalid_time", hint="write 30m, 2h or 7d")
    return sum(float(amount) * _UNITS[unit] for amount, unit in _PART.findall(text))


def parse_moment(text: str, now: float) -> float:
    """Seconds since 1970 of an ISO time (UTC unless it says), such seconds, `now` or `now-1h`."""
    text = text.strip()
    if relative := _RELATIVE.fullmatch(text):
        return now - (parse_duration(relative[1]) if relative[1] else 0.0)
    try:
        moment = float(text)
    except ValueError:
        moment = _parse_iso(text)
    if not 0 <= moment < _LATEST:
        raise ag.InvalidInput(f"'{text[:40]}' is no time", code="invalid_time", hint="seconds since 1970 are meant")
    return moment


def window_since(since: str, now: float, longest: float) -> Window:
    """The window that ends now; `since` is its length, or the moment when it began."""
    try:
        start = now - parse_duration(since)
    except ag.InvalidInput:
        start = parse_moment(since, now)
    return check_window(Window(start, now), longest)


def check_window(window: Window, longest: float) -> Window:
    """The window; `InvalidInput` when it is none or too long."""
    if window.length <= 0:
        raise ag.InvalidInput("the time range ends before it begins", code="invalid_time")
    if window.length > longest:
        detail = f"the time range is {show_seconds(window.length)} long, at most {show_seconds(longest)} are allowed"
        raise ag.InvalidInput(detail, code="range_too_long", hint="ask for a shorter range")
    return window


def choose_step(length: float, asked: str, most: int) -> float:
    """Seconds from point to point: as asked, or a usual one, and always so that there are at most `most` points."""
    shortest = length / max(most - 1, 1)
    wanted = parse_duration(asked) if asked else length / _USUAL_POINTS
    if asked and wanted >= shortest and wanted > 0:
        return wanted
    needed = max(wanted, shortest, 1.0)
    return float(next((step for step in _STEPS if step >= needed), math.ceil(needed / 86400) * 86400))


def show_moment(moment: float) -> str:
    """As `2026-03-01T12:00:00Z`."""
    if not 0 <= moment < 2e11:
        return "an unknown time"
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def show_clock(moment: float) -> str:
    """As `03-01 12:00:00`, for times within a range."""
    return show_moment(moment)[5:-1].replace("T", " ")


def show_seconds(seconds: float) -> str:
    """As `1h30m`, `45s` or `1.25s`, the two largest units of it."""
    if seconds < 1:
        return f"{seconds * 1000:.3g}ms"
    if seconds < 60:
        return f"{seconds:.3g}s"
    whole = round(seconds)
    parts: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        amount, whole = divmod(whole, length)
        parts += [f"{amount}{unit}"] if amount else []
    return "".join(parts[:2])


def _parse_iso(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        hint = "write 2026-03-01T12:00:00Z, now-1h, or seconds since 1970"
        raise ag.InvalidInput(f"'{text[:40]}' is no time", code="invalid_time", hint=hint) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
