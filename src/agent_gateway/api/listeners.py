"""Those who listen to a run, and what becomes of it when the last of them goes away."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import structlog

from agent_gateway.api.asgi import Headers
from agent_gateway.api.requests import Call, edge_of, persona_of, streams_of
from agent_gateway.api.sse import EventStream
from agent_gateway.errors import Conflict, NotFound, Unavailable
from agent_gateway.messages import Run

_log = structlog.get_logger(__name__)


def open_stream(request: Call, run: Run, after: int = 0, headers: Headers = ()) -> EventStream:
    """Stream a run's events after a sequence number; it may end with its last listener, if the persona says so."""
    edge = edge_of(request)
    return EventStream(
        run.id,
        edge.runs.follow(run.id, after),
        streams_of(request),
        edge.settings.keepalive_seconds,
        headers,
        on_leave=partial(call_off, request, run) if persona_of(request).cancel_on_disconnect else None,
    )


async def call_off(request: Call, run: Run) -> None:
    """Cancel a turn that is going on, and that nobody listens to any more."""
    if streams_of(request).following(run.id):
        return
    runs = edge_of(request).runs
    with suppress(Conflict, NotFound, Unavailable):  # it has ended meanwhile, is forgotten, or the gateway stops
        # What was cut waits to be resumed, and who looked at it does not end it.
        if (await runs.get(run.id, run.persona, run.owner)).status == "running":
            await runs.cancel(run.id, run.persona, run.owner)
            _log.info("run_left", run_id=run.id)
