"""A run's events as Server-Sent Events: stored bytes framed once, sent together when they come together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import msgspec
import structlog

from agent_gateway.api.asgi import Headers, Receive, Scope, Send, wait_for_leaving
from agent_gateway.api.replies import Sendable
from agent_gateway.api.streams import Outbox, Streams
from agent_gateway.errors import GatewayError, Unavailable
from agent_gateway.events import Event

#: What is done when a caller goes away before the end.
OnLeave: TypeAlias = Callable[[], Awaitable[None]]

MEDIA_TYPE = b"text/event-stream; charset=utf-8"

_log = structlog.get_logger(__name__)


def frame(event: Event) -> bytes:
    """Frame one event; its data is one line of JSON already."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.seq, event.type.encode(), event.data)


def farewell(run_id: str) -> bytes:
    """Frame the end of a stream in a drain: without an id, because it is the connection's, not the run's."""
    hint = f"the run can be followed again at /v1/runs/{run_id}/events"
    return b"event: shutting_down\ndata: %s\n\n" % msgspec.json.encode({"run_id": run_id, "hint": hint})


class EventStream(Sendable):
    """Follows a run to its terminal event.

    A caller that goes away ends the following; what becomes of the run is up to `on_leave`.
    """

    def __init__(
        self,
        run_id: str,
        events: AsyncIterator[Event],
        streams: Streams,
        keepalive: float,
        headers: Headers = (),
        *,
        on_leave: OnLeave | None = None,
    ) -> None:
        self.run_id = run_id
        self._events = events
        self._streams = streams
        self._keepalive = keepalive
        self._on_leave = on_leave
        self._headers = (
            (b"content-type", MEDIA_TYPE),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
            (b"x-run-id", run_id.encode()),
            *headers,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the last one, the caller's leaving, or a drain."""
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        outbox = Outbox(self._keepalive)
        followers = (asyncio.create_task(self._fetch(outbox)), asyncio.create_task(_watch(receive, outbox)))
        try:
            with self._streams.joined(outbox, self.run_id):
                await self._deliver(outbox, send)
        finally:
            outbox.close()
            for task in followers:
                task.cancel()
            outcomes = await asyncio.gather(*followers, return_exceptions=True)
        # Whom a drain has told to come back has not left.
        if self._on_leave is not None and outbox.left and not (outbox.finished or outbox.stopped):
            await self._on_leave()
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        await send({"type": "http.response.body", "body": b""})

    async def _deliver(self, outbox: Outbox, send: Send) -> None:
        while True:
            chunk = await outbox.take()
            last = outbox.ended or outbox.stopped
            if outbox.stopped and not outbox.finished:
                chunk += farewell(self.run_id)
            if chunk:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if last:
                return

    async def _fetch(self, outbox: Outbox) -> None:
        try:
            async for event in self._events:
                outbox.put(frame(event))
                if event.terminal:
                    outbox.finish()
                    break
                await outbox.room()
        except Unavailable:
            outbox.stop()  # the gateway drains, and the runs said so first
        except GatewayError as exc:
            # The response has begun: the stream ends without its last event, and the caller comes back for the rest.
            _log.warning("stream_broken", run_id=self.run_id, error=str(exc))
        finally:
            outbox.end()
            close = getattr(self._events, "aclose", None)
            if close is not None:
                await close()


async def _watch(receive: Receive, outbox: Outbox) -> None:
    """End the stream when the caller goes away."""
    await wait_for_leaving(receive)
    outbox.leave()
