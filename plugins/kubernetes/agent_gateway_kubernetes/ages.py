"""Times and amounts the way kubectl writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

_UNITS = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_SUFFIXES = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15,
             "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50}  # fmt: skip
_AMOUNT = re.compile(r"([0-9.]+(?:[eE][+-]?[0-9]+)?)([A-Za-z]{0,2})")


def age(moment: Any, now: datetime | None = None) -> str:
    """How long ago an RFC 3339 moment was: `5d`, `3h20m`, `45s`; `<unknown>` for none."""
    found = parse_moment(moment)
    if found is None:
        return "<unknown>"
    return span(((now or datetime.now(UTC)) - found).total_seconds())


def span(seconds: float) -> str:
    """A length of time, in its one or two largest units."""
    left = max(int(seconds), 0)
    parts: list[str] = []
    for unit, size in _UNITS:
        amount, left = divmod(left, size)
        if amount or parts:
            parts.append(f"{amount}{unit}" if amount else "")
        if len(parts) == 2 or (parts and amount >= 10):
            break
    return "".join(parts) or "0s"


def parse_moment(value: Any) -> datetime | None:
    """An RFC 3339 moment."""
    if not isinstance(value, str) or not value:
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def parse_span(text: str) -> int | None:
    """The seconds of `1h30m`; None when it is no length of time."""
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        return None
    return sum(int(amount or 0) * size for amount, (_, size) in zip(match.groups(), _UNITS, strict=True))


def amount(text: Any) -> float:
    """A quantity such as `250m` or `64Mi`, in its base unit; 0 when it is none."""
    match = _AMOUNT.fullmatch(str(text))
    return float(match[1]) * _SUFFIXES.get(match[2], 0.0) if match else 0.0
