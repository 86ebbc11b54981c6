"""Series of numbers as Prometheus and Loki answer them, and as short text."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import agent_gateway as ag

from .shapes import as_dicts
from .trends import describe_trend
from .windows import show_clock

_NAME = "__name__"
_LONGEST_LABEL = 120


class Series(NamedTuple):
    """Labels, and points of (seconds since 1970, value)."""

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]
    #: What stands for a value that is no number, a native histogram.
    text: str = ""


def read_series(result: Any) -> list[Series]:
    """The series of a vector or matrix; `KeyError` and the like when it is none."""
    return [_read_one(each) for each in as_dicts(result)]


def show_vector(series: Sequence[Series], shown: int, *, sort: bool) -> str:
    """One line for each series: the labels in which it differs, and its value. The largest come first if `sort`."""
    ordered = sorted(series, key=_size, reverse=True) if sort else list(series)
    shared, lines = _differing(ordered)
    rows = [f"{_or_value(line)} {_value(each)}" for line, each in zip(lines, ordered, strict=True)]
    return _listed(rows, shared, shown, "the largest are shown" if sort else "")


def show_matrix(series: Sequence[Series], shown: int) -> str:
    """One line for each series: the last value, the extremes with their times, and where it goes."""
    ordered = sorted(series, key=_size, reverse=True)
    shared, lines = _differing(ordered)
    rows = [f"{_or_value(line)} {_course(each)}" for line, each in zip(lines, ordered, strict=True)]
    return _listed(rows, shared, shown, "those with the largest last value are shown")


def show_number(value: float) -> str:
    """With 6 digits, as PromQL writes what is no number."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return f"{value:.6g}"


def show_labels(labels: Mapping[str, str]) -> str:
    """As a selector; a value is quoted, so that it stays on its line, and cut."""
    shown = ", ".join(f"{name}={_quoted(labels[name])}" for name in sorted(labels) if name != _NAME)
    name = labels.get(_NAME, "")
    return name + (f"{{{shown}}}" if shown else "")


def _read_one(each: Mapping[str, Any]) -> Series:
    labels = {str(name): str(value) for name, value in each["metric"].items()}
    if "histogram" in each or ("histograms" in each and "values" not in each):
        found = each["histogram"] if "histogram" in each else each["histograms"][-1]
        return Series(labels, (), f"histogram, count {found[1]['count']}, sum {found[1]['sum']}")
    points = each["values"] if "values" in each else [each["value"]]
    return Series(labels, tuple((float(moment), float(value)) for moment, value in points))


def _size(series: Series) -> float:
    value = series.points[-1][1] if series.points else math.nan
    return -math.inf if math.isnan(value) else value


def _value(series: Series) -> str:
    return show_number(series.points[-1][1]) if series.points else series.text or "no value"


def _course(series: Series) -> str:
    points = [point for point in series.points if not math.isnan(point[1])]
    if not points:
        return series.text or "no value"
    if len(points) == 1:
        return f"{show_number(points[0][1])} at {show_clock(points[0][0])}, the only point"
    least = min(points, key=lambda point: point[1])
    most = max(points, key=lambda point: point[1])
    last = f"last {show_number(points[-1][1])}"
    if least[1] == most[1]:
        return f"{last}, constant, {len(points)} points"
    extremes = (
        f"min {show_number(least[1])} at {show_clock(least[0])}, max {show_number(most[1])} at {show_clock(most[0])}"
    )
    return f"{last}, {extremes}, {describe_trend(points)}, {len(points)} points"


def _differing(series: Sequence[Series]) -> tuple[str, list[str]]:
    """What all series share, and for each the labels that tell it from the others."""
    if len(series) < 2:
        return "", [show_labels(each.labels) for each in series]
    first = series[0].labels
    shared = {name: value for name, value in first.items() if all(each.labels.get(name) == value for each in series)}
    own = [show_labels({name: each.labels[name] for name in each.labels if name not in shared}) for each in series]
    return show_labels(shared), own


def _listed(rows: Sequence[str], shared: str, shown: int, order: str) -> str:
    head = f"{len(rows)} series" + (f", all of {shared}" if shared else "") + ":"
    left = len(rows) - shown
    tail = [f"{left} more series are cut off" + (f"; {order}" if order else "") + "."] if left > 0 else []
    return "\n".join([head, *rows[:shown], *tail])


def _or_value(line: str) -> str:
    return line or "{}"


def _quoted(text: str) -> str:
    return json.dumps(ag.excerpt(text, _LONGEST_LABEL), ensure_ascii=False)
