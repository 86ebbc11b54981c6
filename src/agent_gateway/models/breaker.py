"""Leaves a model alone that does not answer, and lets one call at a time find out whether it does again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import structlog

from agent_gateway.config.models import BreakerSettings
from agent_gateway.errors import ModelFailed

#: Nothing gets better by asking again at once: nobody is there, the key is wrong, the model is not.
HOPELESS = frozenset(
    {"model_unreachable", "model_not_opened", "model_key_missing", "model_unauthorized", "model_not_found"}
)
#: It is the request that the server did not like.
_OF_THE_REQUEST = "model_rejected"
#: However long a server wants to be left alone, after so many seconds it is asked again.
LONGEST_REST = 3600.0
#: A call that was let through, to be given back with how it ended.
Permit: TypeAlias = int

log = structlog.get_logger(__name__)


class Breaker:
    """Counts the failures of one model at one address, asked with one key. `clock` is in seconds.

    Closed, it lets every call through. Open, it lets none through until its time is over, and then one, the probe:
    its success closes the breaker, its failure opens it for twice as long. A call that began before the breaker opened
    says nothing about now, so how it ends is ignored.
    """

    def __init__(self, settings: BreakerSettings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._failures = 0
        self._openings = 0
        self._period = 0
        self._until: float | None = None
        self._probing = False
        self._failed_at = 0.0
        self._reason = ""

    @property
    def askable(self) -> bool:
        """Whether a call would be let through now."""
        return self._until is None or (not self._probing and self._clock() >= self._until)

    @property
    def why(self) -> str:
        """Why not, in one clause: the last failure, how long ago, and when the next try is."""
        if self._until is None:
            return ""
        now = self._clock()
        then = "being tried again now" if self._probing else f"next try in {max(1, round(self._until - now))} s"
        return f"{self._reason} ({round(now - self._failed_at)} s ago, {then})"

    def admit(self) -> Permit | None:
        """Let a call through, or not; whoever is let through says `succeed`, `fail` or `leave` once."""
        if not self.askable:
            return None
        self._probing = self._until is not None
        return self._period

    def succeed(self, permit: Permit) -> None:
        """The model answers."""
        if permit == self._period:
            self._failures = self._openings = 0
            self._until = None
            self._probing = False

    def leave(self, permit: Permit) -> None:
        """The call ended without telling anything about the model: it was cancelled, or the request did not suit."""
        if permit == self._period:
            self._probing = False

    def fail(self, permit: Permit, error: ModelFailed, reason: str, *, cut: bool = False) -> None:
        """The model did not answer, or stopped in the middle of it (`cut`); `reason` is a clause for `why`."""
        if permit != self._period:
            return
        if error.unfit or error.code == _OF_THE_REQUEST:
            self.leave(permit)
            return
        self._failures += 1
        probed = self._until is not None
        hopeless = cut or probed or error.code in HOPELESS
        if error.retry_after is None and not hopeless and self._failures < self._settings.failures:
            return
        self._failed_at = self._clock()
        self._reason = reason
        rest = self._cooldown() if error.retry_after is None else min(error.retry_after, LONGEST_REST)
        self._until = self._failed_at + rest
        self._openings += error.retry_after is None
        self._period += 1
        self._probing = False
        log.warning("model_left_alone", seconds=round(rest, 1), code=error.code, reason=reason)

    def _cooldown(self) -> float:
        return min(self._settings.cooldown_seconds * 2.0 ** min(self._openings, 32), self._settings.longest_seconds)
