"""Asks for traces, whichever server keeps them."""

from __future__ import annotations

from .jaeger import read_jaeger, search_jaeger
from .servers import choose_server
from .settings import ObservabilitySettings
from .tempo import read_tempo, search_tempo
from .trace_search import check_trace_id, read_search
from .trace_text import show_trace, show_traces

#: Where a cluster has both, Tempo is asked.
_KINDS = ("tempo", "jaeger")
_NOTHING = "None was found. Traces may be sampled, or the service be called otherwise."


class Traces:
    """The servers of traces in the settings."""

    def __init__(self, settings: ObservabilitySettings) -> None:
        self._settings = settings

    async def read(self, trace_id: str, cluster: str) -> str:
        """One trace, as text."""
        wanted = check_trace_id(trace_id)
        place = choose_server(self._settings, _KINDS, cluster)
        read = read_tempo if place.kind == "tempo" else read_jaeger
        return f"{place.told}:\n{show_trace(await read(place, wanted, self._settings.limits))}"

    async def search(
        self, service: str, since: str, min_duration: str, *, only_errors: bool, limit: int, cluster: str
    ) -> str:
        """The traces that fit, as text."""
        limits = self._settings.limits
        place = choose_server(self._settings, _KINDS, cluster)
        search = read_search(service, since, min_duration, only_errors=only_errors, limit=limit, limits=limits)
        find = search_tempo if place.kind == "tempo" else search_jaeger
        found, detailed = await find(place, search, limits)
        head = f"{place.told}, {search.told}"
        if not found:
            return f"{head}: {_NOTHING}"
        more = f" The limit of {limit} is reached: there may be more." if len(found) >= limit else ""
        return f"{head}.{more}\n{show_traces(found, detailed)}"
