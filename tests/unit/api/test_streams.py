from __future__ import annotations

import asyncio

import pytest

from agent_gateway.api.streams import KEEPALIVE, WINDOW, Outbox, Streams


async def test_what_is_put_together_leaves_together() -> None:
    outbox = Outbox(keepalive=60)
    outbox.put(b"a")
    outbox.put(b"b")
    assert await outbox.take() == b"ab"
    outbox.close()


async def test_silence_is_broken_by_a_comment() -> None:
    outbox = Outbox(keepalive=0.02)
    assert await asyncio.wait_for(outbox.take(), 2) == KEEPALIVE
    assert await asyncio.wait_for(outbox.take(), 2) == KEEPALIVE
    outbox.close()


async def test_no_comment_comes_while_events_do() -> None:
    outbox = Outbox(keepalive=0.2)
    for _ in range(10):
        outbox.put(b"event")
        assert await outbox.take() == b"event"
        await asyncio.sleep(0.04)
    outbox.close()


async def test_a_slow_reader_holds_up_its_own_events_until_it_has_read() -> None:
    outbox = Outbox(keepalive=60)
    outbox.put(b"x" * WINDOW)
    waiting = asyncio.create_task(outbox.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    await outbox.take()
    await asyncio.wait_for(waiting, 2)
    outbox.close()


async def test_a_drain_stops_every_stream_also_those_that_come_during_it() -> None:
    streams, early, late = Streams(), Outbox(keepalive=60), Outbox(keepalive=60)
    with streams.joined(early, "run"):
        streams.stop()
        assert early.stopped
        assert len(streams) == 1
    with streams.joined(late, "run"):
        assert late.stopped
    assert len(streams) == 0
    early.close()
    late.close()


async def test_streams_and_those_who_wait_for_an_answer_listen_to_a_run() -> None:
    streams, outbox = Streams(), Outbox(keepalive=60)
    with streams.joined(outbox, "run"), streams.waiting("run"), streams.waiting("another"):
        assert (streams.following("run"), streams.following("another"), len(streams)) == (2, 1, 1)
    assert (streams.following("run"), streams.following("another"), len(streams)) == (0, 0, 0)
    outbox.close()


async def test_a_closed_outbox_leaves_no_timer_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    outbox = Outbox(keepalive=0.01)
    outbox.close()
    puts: list[bytes] = []
    monkeypatch.setattr(outbox, "put", puts.append)
    await asyncio.sleep(0.05)
    assert puts == []
