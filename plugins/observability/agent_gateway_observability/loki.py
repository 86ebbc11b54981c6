"""Asks Loki for log lines, or for a metric made of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import agent_gateway as ag

from .connection import Query, get_json
from .log_lines import count_lines, read_lines, shared_labels, show_line
from .log_patterns import find_patterns, show_patterns
from .logql import LogQuery, check_logql
from .series import read_series, show_labels, show_matrix, show_vector
from .servers import Place, choose_server
from .settings import ObservabilitySettings
from .shapes import as_documented
from .windows import Window, choose_step, show_moment, show_seconds, window_since

_NEWEST = 10
_PATTERNS = 25
_NOTHING = "No lines: nothing matches. The labels may be others, or nothing was logged."
_NO_SERIES = "No series: no line matches. The labels may be others, or nothing was logged."
_RANGE = "/loki/api/v1/query_range"
_NOW = "now"
_NANO = 1_000_000_000


class Loki:
    """The Loki servers of the settings."""

    def __init__(self, settings: ObservabilitySettings) -> None:
        self._settings = settings

    async def query(self, query: str, *, since: str, limit: int, cluster: str) -> str:
        """What a server answers, as text. A metric with `since` "now" is asked for as of now, else over the range."""
        place = choose_server(self._settings, ("loki",), cluster)
        limits = self._settings.limits
        parsed = check_logql(query, limits)
        if not 1 <= limit <= limits.log_lines:
            raise ag.InvalidInput(f"limit must be from 1 to {limits.log_lines}", code="invalid_limit")
        now = time.time()
        if not parsed.lines and since.strip() == _NOW:
            asked: Query = {"query": parsed.text, "time": int(now * _NANO)}
            answer = await get_json(place, "/loki/api/v1/query", asked, limits)
            return f"{place.told} at {show_moment(now)}.\n{as_documented(place, lambda: self._show_metric(answer))}"
        window = window_since(since, now, limits.log_range_seconds)
        if parsed.lines:
            return await self._ask_lines(place, parsed, window, limit)
        step = choose_step(window.length, "", limits.points)
        answer = await get_json(place, _RANGE, _over(parsed, window) | {"step": step}, limits)
        head = f"{_head(place, window)}, a point each {show_seconds(step)}."
        return f"{head}\n{as_documented(place, lambda: self._show_metric(answer))}"

    async def _ask_lines(self, place: Place, query: LogQuery, window: Window, limit: int) -> str:
        asked = _over(query, window) | {"limit": limit, "direction": "backward"}
        answer = await get_json(place, _RANGE, asked, self._settings.limits)
        lines = as_documented(place, lambda: read_lines(answer))
        if not lines:
            return f"{_head(place, window)}.\n{_NOTHING}"
        # It is a second of work for some thousand lines, and others want to be served meanwhile.
        patterns = await asyncio.to_thread(find_patterns, [(line.moment, line.text) for line in lines])
        older = ""
        if len(lines) >= limit:
            reach = show_seconds(max(window.end - lines[-1].moment, 0.0))
            older = f" These are the newest {limit}, of the last {reach}; older ones were not asked for."
        shared = shared_labels(lines)
        return "\n".join(
            [
                f"{_head(place, window)}: {count_lines(lines)}{f' of {show_labels(shared)}' if shared else ''}.{older}",
                f"{len(patterns)} patterns:" if len(patterns) > 1 else "One pattern:",
                *show_patterns(patterns, _PATTERNS),
                f"The newest {count_lines(lines[:_NEWEST])}:" if len(lines) > 1 else "The line:",
                *(show_line(line, shared) for line in lines[:_NEWEST]),
            ]
        )

    def _show_metric(self, answer: Mapping[str, Any]) -> str:
        kind, result = answer["data"]["resultType"], answer["data"]["result"]
        series = read_series(result)
        if not series:
            return _NO_SERIES
        shown = self._settings.limits.series_shown
        return show_matrix(series, shown) if kind == "matrix" else show_vector(series, shown, sort=True)


async def look(place: Place, settings: ObservabilitySettings) -> str:
    """Ask for the names of labels, and say how many there are."""
    answer = await get_json(place, "/loki/api/v1/labels", {}, settings.limits)
    return f"knows {as_documented(place, lambda: len(answer.get('data') or []))} labels"


def _over(query: LogQuery, window: Window) -> dict[str, str | int | float]:
    """What is asked for of a range, in nanoseconds."""
    return {"query": query.text, "start": int(window.start * _NANO), "end": int(window.end * _NANO)}


def _head(place: Place, window: Window) -> str:
    return f"{place.told} from {show_moment(window.start)} to {show_moment(window.end)}"
