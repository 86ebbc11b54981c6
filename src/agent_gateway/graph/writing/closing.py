"""Ends a stream that is left early at once, not when somebody collects it: a model must not go on writing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

Item = TypeVar("Item")


@asynccontextmanager
async def closing(pieces: AsyncIterator[Item]) -> AsyncIterator[AsyncIterator[Item]]:
    """Close an iterator when the block is left, if it is one that can be closed."""
    try:
        yield pieces
    finally:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()
