from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from agent_gateway.api.sse import EventStream, farewell, frame
from agent_gateway.api.streams import Streams
from agent_gateway.errors import StorageFailed, Unavailable
from agent_gateway.events import Event

FIRST = Event(1, "run_started", b'{"run_id":"r"}')
TOKEN = Event(2, "token", b'{"text":"\\n"}')
DONE = Event(3, "done", b"{}")


class Connection:
    """One ASGI connection: what was sent, and a caller that may hang up."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.gone = asyncio.Event()
        self.first = True

    async def receive(self) -> dict[str, Any]:
        if self.first:
            self.first = False
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(dict(message))

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


async def recorded(*events: Event, then: Exception | None = None) -> AsyncIterator[Event]:
    for event in events:
        yield event
    if then is not None:
        raise then


class Endless:
    """Events that stop coming, and whether the follower let go."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()
        self.waiting = asyncio.Event()

    async def events(self) -> AsyncIterator[Event]:
        try:
            yield FIRST
            self.waiting.set()
            await asyncio.Event().wait()
        finally:
            self.closed.set()


async def deliver(events: AsyncIterator[Event], streams: Streams | None = None) -> Connection:
    connection = Connection()
    stream = EventStream("r", events, streams or Streams(), keepalive=60)
    await stream({"type": "http"}, connection.receive, connection.send)
    return connection


def test_an_event_is_framed_with_its_stored_bytes() -> None:
    assert frame(TOKEN) == b'id: 2\nevent: token\ndata: {"text":"\\n"}\n\n'


async def test_events_that_are_there_at_once_are_sent_at_once() -> None:
    connection = await deliver(recorded(FIRST, TOKEN, DONE))
    assert [len(message.get("body", b"")) > 0 for message in connection.sent] == [False, True, False]
    assert connection.body == frame(FIRST) + frame(TOKEN) + frame(DONE)


async def test_the_response_ends_after_the_terminal_event_whatever_would_follow() -> None:
    connection = await deliver(recorded(DONE, FIRST))
    assert connection.body == frame(DONE)
    assert connection.sent[-1].get("more_body", False) is False


async def test_a_caller_that_hangs_up_ends_the_following() -> None:
    endless, connection = Endless(), Connection()
    stream = EventStream("r", endless.events(), Streams(), keepalive=60)
    serving = asyncio.create_task(stream({"type": "http"}, connection.receive, connection.send))
    await endless.waiting.wait()
    connection.gone.set()
    await asyncio.wait_for(serving, 2)
    assert endless.closed.is_set()


async def leave(events: AsyncIterator[Event], gone: asyncio.Event, streams: Streams) -> list[str]:
    """Hang up when `gone` is set; what was done about it."""
    connection, done = Connection(), []

    async def on_leave() -> None:
        done.append(f"left, {streams.following('r')} follow")

    stream = EventStream("r", events, streams, keepalive=60, on_leave=on_leave)
    serving = asyncio.create_task(stream({"type": "http"}, connection.receive, connection.send))
    await gone.wait()
    connection.gone.set()
    await asyncio.wait_for(serving, 2)
    return done


async def test_a_caller_that_hangs_up_is_told_of_once_it_does_not_follow_any_more() -> None:
    endless = Endless()
    assert await leave(endless.events(), endless.waiting, Streams()) == ["left, 0 follow"]
    assert endless.closed.is_set()


async def test_a_caller_that_has_the_last_event_or_was_sent_away_has_not_left() -> None:
    now, streams, endless = asyncio.Event(), Streams(), Endless()
    now.set()
    assert await leave(recorded(FIRST, DONE), now, Streams()) == []
    streams.stop()
    assert await leave(endless.events(), now, streams) == []


async def test_a_drain_ends_a_stream_with_a_farewell_that_has_no_id() -> None:
    endless, connection, streams = Endless(), Connection(), Streams()
    stream = EventStream("r", endless.events(), streams, keepalive=60)
    serving = asyncio.create_task(stream({"type": "http"}, connection.receive, connection.send))
    await endless.waiting.wait()
    streams.stop()
    await asyncio.wait_for(serving, 2)
    assert connection.body == frame(FIRST) + farewell("r")
    assert b"id:" not in farewell("r")
    assert endless.closed.is_set()


async def test_runs_that_say_they_stop_end_a_stream_with_the_farewell_too() -> None:
    connection = await deliver(recorded(FIRST, then=Unavailable("stopping", code="shutting_down")))
    assert connection.body == frame(FIRST) + farewell("r")


async def test_a_run_that_has_just_ended_gets_no_farewell() -> None:
    streams = Streams()
    streams.stop()
    endings = await deliver(recorded(FIRST, DONE), streams)
    assert endings.body in {frame(FIRST) + frame(DONE), farewell("r")}


async def test_a_storage_that_fails_ends_the_stream_without_a_last_event() -> None:
    connection = await deliver(recorded(FIRST, then=StorageFailed("disk full")))
    assert connection.body == frame(FIRST)


async def test_a_bug_in_the_following_is_not_swallowed() -> None:
    with pytest.raises(KeyError):
        await deliver(recorded(FIRST, then=KeyError("bug")))
