"""A measured figure beside its target and its floor, and the table that shows it."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line of a table. `target`: the most it may be. `floor`: what the machine took for the parts, same unit."""

    name: str
    value: float
    unit: str
    target: float | None = None
    floor: float | None = None

    @property
    def short_by(self) -> float:
        """How far the value is above its target; 0 when it is met, or when there is none."""
        return 0.0 if self.target is None else max(0.0, self.value - self.target)

    @property
    def verdict(self) -> str:
        """`PASS`, `short by ...`, or nothing when there is no target."""
        if self.target is None:
            return ""
        return f"short by {_number(self.short_by)} {self.unit}".rstrip() if self.short_by else "PASS"


def quantile(values: Sequence[float], share: float) -> float:
    """The value that a share of all values does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]


def center(name: str, unit: str, values: Sequence[float], target: float | None = None) -> Figure:
    """The median of repeated measurements as a figure."""
    return Figure(name, statistics.median(values), unit, target)


def show(title: str, figures: Sequence[Figure]) -> None:
    """Print a table with the machine and the load it was measured under."""
    one, five, _ = os.getloadavg()
    at = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    print(f"{title}: {at} UTC, {os.cpu_count()} cores, load {one:.1f}/{five:.1f}")
    print(f"  {'figure':52s} {'value':>10s} {'target':>10s} {'floor':>10s} {'ratio':>6s}")
    for figure in figures:
        floor = "" if figure.floor is None else _number(figure.floor)
        ratio = "" if not figure.floor else f"{figure.value / figure.floor:.2f}"
        target = "" if figure.target is None else _number(figure.target)
        name = f"{figure.name} [{figure.unit}]" if figure.unit else figure.name
        print(f"  {name:52s} {_number(figure.value):>10s} {target:>10s} {floor:>10s} {ratio:>6s}  {figure.verdict}")


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
