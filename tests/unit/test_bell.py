from __future__ import annotations

import asyncio

import pytest

from agent_gateway.bell import Bell


async def test_a_ring_wakes_all_who_wait_and_nobody_who_comes_later() -> None:
    bell = Bell()
    waiting = [asyncio.create_task(bell.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    bell.ring()
    await asyncio.wait_for(asyncio.gather(*waiting), 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bell.wait(), 0.02)


async def test_who_gives_up_is_forgotten() -> None:
    bell = Bell()
    waiting = asyncio.create_task(bell.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert bell._waiting == []
    bell.ring()
