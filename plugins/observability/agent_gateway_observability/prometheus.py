"""Asks Prometheus, for a moment or a range."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import promql_parser

import agent_gateway as ag

from .connection import get_json, show_message
from .promql import check_promql, sorts_itself
from .series import read_series, show_matrix, show_number, show_vector
from .servers import Place, choose_server
from .settings import ObservabilitySettings
from .shapes import as_documented
from .windows import Window, check_window, choose_step, parse_moment, show_moment, show_seconds, window_since

_NOTHING = "No series: nothing matches now. The metric may not exist, have other labels, or have stopped."


class Prometheus:
    """The Prometheus servers of the settings."""

    def __init__(self, settings: ObservabilitySettings) -> None:
        self._settings = settings

    async def query(self, query: str, *, start: str, end: str, step: str, since: str, cluster: str) -> str:
        """What a server answers, as text."""
        place = choose_server(self._settings, ("prometheus",), cluster)
        limits = self._settings.limits
        expression = check_promql(query, limits)
        window = _read_window(start, end, since, limits.range_seconds)
        asked: dict[str, str | int | float] = {
            "query": query.strip(),
            # Known from version 3 on; older servers pass over it.
            "limit": limits.series + 1,
            "timeout": f"{limits.timeout_seconds:g}s",
        }
        if window.length == 0:
            answer = await get_json(place, "/api/v1/query", {**asked, "time": window.end}, limits)
            head = f"{place.told} at {show_moment(window.end)}"
        else:
            seconds = choose_step(window.length, step, limits.points)
            ranged = {"start": window.start, "end": window.end, "step": seconds}
            answer = await get_json(place, "/api/v1/query_range", {**asked, **ranged}, limits)
            head = f"{place.told} from {show_moment(window.start)} to {show_moment(window.end)}"
            head += f", a point each {show_seconds(seconds)}{_excuse(step, seconds)}"
        body = as_documented(place, lambda: self._show(expression, answer))
        return "\n".join([head + ".", *_warnings(answer), body])

    def _show(self, expression: promql_parser.Expr, answer: Mapping[str, Any]) -> str:
        kind, result = answer["data"]["resultType"], answer["data"]["result"]
        if kind in {"scalar", "string"}:
            return show_number(float(result[1])) if kind == "scalar" else show_message(str(result[1]))
        limits = self._settings.limits
        series = read_series(result)
        more = f"\nThere are more than {limits.series}; only so many were asked for." * (len(series) > limits.series)
        series = series[: limits.series]
        if not series:
            return _NOTHING
        if kind == "matrix":
            return show_matrix(series, limits.series_shown) + more
        return show_vector(series, limits.series_shown, sort=not sorts_itself(expression)) + more


async def look(place: Place, settings: ObservabilitySettings) -> str:
    """Ask for a number, and say that it came."""
    answer = await get_json(place, "/api/v1/query", {"query": "1"}, settings.limits)
    kind = as_documented(place, lambda: str(answer["data"]["resultType"]))
    return f"answers queries ({kind})"


def _read_window(start: str, end: str, since: str, longest: float) -> Window:
    """A range, or one moment when no beginning is given."""
    now = time.time()
    if since:
        if start or end:
            raise ag.InvalidInput("since is a range that ends now: leave start and end out, or it", code="invalid_time")
        return window_since(since, now, longest)
    last = parse_moment(end, now) if end else now
    if not start:
        return Window(last, last)
    return check_window(Window(parse_moment(start, now), last), longest)


def _excuse(step: str, seconds: float) -> str:
    if not step or choose_step(0.0, step, 2) == seconds:
        return ""
    return f" (not {step[:20]}, which would be too many)"


def _warnings(answer: Any) -> list[str]:
    found = answer.get("warnings") if isinstance(answer, dict) else None
    return [f"Warning: {show_message(str(each))}" for each in found[:3]] if isinstance(found, list) else []
