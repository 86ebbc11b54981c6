from __future__ import annotations

import asyncio

import pytest

from agent_gateway.models.fair_queue import FairQueue


def soon(seconds: float = 5.0) -> float:
    return asyncio.get_running_loop().time() + seconds


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_more_than_the_limit_are_in() -> None:
    queue = FairQueue(2)
    most = 0

    async def work(key: str) -> None:
        nonlocal most
        await queue.join(key, soon())
        most = max(most, queue.taken)
        await asyncio.sleep(0)
        queue.leave()

    await asyncio.gather(*(work(str(n % 3)) for n in range(50)))
    assert (most, queue.taken, queue.waiting) == (2, 0, 0)


async def test_each_owner_gets_a_turn_whoever_asked_most() -> None:
    queue = FairQueue(1)
    await queue.join("ann", soon())
    order: list[str] = []

    async def work(key: str) -> None:
        await queue.join(key, soon())
        order.append(key)
        queue.leave()

    waiting = [asyncio.create_task(work(key)) for key in ["ann"] * 10 + ["bob"] * 2 + ["eve"]]
    await settle()
    queue.leave()
    await asyncio.gather(*waiting)
    assert order[:6] == ["ann", "bob", "eve", "ann", "bob", "ann"]
    assert queue.taken == 0


async def test_who_waits_too_long_is_out_and_takes_no_place() -> None:
    queue = FairQueue(1)
    await queue.join("ann", soon())
    with pytest.raises(TimeoutError):
        await queue.join("bob", soon(0.02))
    assert queue.waiting == 0
    queue.leave()
    await queue.join("bob", soon())
    assert queue.taken == 1


async def test_a_place_given_to_one_who_left_in_that_moment_goes_on_to_the_next() -> None:
    queue = FairQueue(1)
    await queue.join("ann", soon())
    bob = asyncio.create_task(queue.join("bob", soon()))
    eve = asyncio.create_task(queue.join("eve", soon()))
    await settle()
    queue.leave()
    bob.cancel()
    await asyncio.gather(bob, return_exceptions=True)
    await eve
    assert (bob.cancelled(), queue.taken, queue.waiting) == (True, 1, 0)


async def test_who_comes_while_others_wait_does_not_overtake_them() -> None:
    queue = FairQueue(1)
    await queue.join("ann", soon())
    bob = asyncio.create_task(queue.join("bob", soon()))
    await settle()
    queue.leave()
    with pytest.raises(TimeoutError):
        await queue.join("eve", soon(0.02))
    await bob
