"""Where a series goes: a straight line through its points, if they follow one."""

from __future__ import annotations

import math
from collections.abc import Sequence

#: A change under this share of what is usual is none.
_NOTICEABLE = 0.05
#: Two points are always on a line.
_FEWEST = 3


def describe_trend(points: Sequence[tuple[float, float]]) -> str:
    """`rising by 3 (+20 %)`, `falling ...`, or `no trend`. `points` are (seconds, value)."""
    finite = [point for point in points if math.isfinite(point[1])]
    if len(finite) < _FEWEST:
        return "no trend"
    change, noise, start = _fit(finite)
    usual = max(abs(value) for _, value in finite)
    if abs(change) < max(_NOTICEABLE * usual, 2 * noise):
        return "no trend"
    share = f" ({change / abs(start) * 100:+.0f} %)" if abs(start) > 0.01 * usual else ""
    return f"{'rising' if change > 0 else 'falling'} by {abs(change):.3g}{share}"


def _fit(points: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """The change from the line's begin to its end, how far points are from it, and where it begins."""
    count = len(points)
    origin = points[0][0]
    times = [moment - origin for moment, _ in points]
    middle = sum(times) / count
    mean = sum(value for _, value in points) / count
    spread = sum((time - middle) ** 2 for time in times)
    if spread == 0:
        return 0.0, 0.0, mean
    slope = sum((time - middle) * (value - mean) for time, (_, value) in zip(times, points, strict=True)) / spread
    start = mean - slope * middle
    missed = [value - start - slope * time for time, (_, value) in zip(times, points, strict=True)]
    noise = math.sqrt(sum(miss * miss for miss in missed) / count)
    return slope * times[-1], noise, start
