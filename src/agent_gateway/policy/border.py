"""The one border around a tool's code: it may raise anything, and take any time, and harms only its own call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from agent_gateway.errors import GatewayError

T = TypeVar("T")

_LONGEST_ERROR = 300
log = structlog.get_logger(__name__)


class TimedOut(GatewayError):
    """A tool's code took longer than it may; nobody knows how far it came."""

    code = "tool_timeout"


async def cross(work: Callable[[], Awaitable[T]], seconds: float, tool: str) -> T | GatewayError:
    """What a tool's code gives, or an error with one line about what went wrong; `seconds` is how long it may take."""
    cancels = _count_cancels()
    clock = asyncio.timeout(max(seconds, 0.0))
    try:
        async with clock:
            return await work()
    except (Exception, SystemExit, asyncio.CancelledError) as error:
        # What a tool waits for may be cancelled, which is no cancel of its turn.
        if isinstance(error, asyncio.CancelledError) and _count_cancels() > cancels:
            raise
        late = isinstance(error, TimeoutError) and clock.expired()
        failure = TimedOut(f"it took longer than {seconds:.3g} s") if late else _failure(error)
    log.warning("tool_failed", tool=tool, error=failure.detail)
    return failure


def _count_cancels() -> int:
    """How often this task was told to stop."""
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def _failure(error: BaseException) -> GatewayError:
    """What a tool raised, in one line."""
    if isinstance(error, GatewayError):
        return error
    line = next(iter(str(error).strip().splitlines()), "")
    return GatewayError(f"{type(error).__name__}: {line}"[:_LONGEST_ERROR])
