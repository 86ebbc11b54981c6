"""Keeps a process that serves for long small, and free of long pauses."""

from __future__ import annotations

import asyncio
import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: `M_ARENA_MAX` of glibc's mallopt: heaps that threads share. By default there are eight for each core, and each keeps
#: what its threads once needed.
_ARENA_MAX, _ARENAS = -8, 2
#: A generation is looked through when it has grown by so much: a running turn is hundreds of objects that will end by
#: themselves, so that Python's 700 would have the collector look through all live streams again and again.
_THRESHOLDS = (10_000, 10, 50)


def share_heaps() -> None:
    """Have threads that begin from now on share two heaps; without effect where the C library is not glibc."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, _ARENAS)


@contextmanager
def loading() -> Iterator[None]:
    """Load what is there to stay, libraries above all, without looking for garbage in it again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


async def settle() -> None:
    """What is loaded by now stays: take it out of all later collections, and give back what loading it left free.

    A collection that visits hundreds of thousands of objects stalls every stream for a tenth of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    await give_back()


async def give_back() -> None:
    """Give free memory back to the system, a millisecond's work; only then does what was freed make others room."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        await asyncio.to_thread(trim, 0)
