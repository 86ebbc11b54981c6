"""Writes amounts of money."""

from __future__ import annotations


def money(usd: float) -> str:
    """Write an amount; one that would look like nothing is said to be little."""
    return "< $0.0001" if 0 < usd < 0.0001 else f"${usd:.4f}"
