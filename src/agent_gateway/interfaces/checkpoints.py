"""Checkpoints: what a turn needs to go on in the middle, kept until its run ends."""

from __future__ import annotations

from typing import Protocol


class Checkpoints(Protocol):
    """One stored state a run, the latest; it goes in the commit in which the run ends."""

    async def put(self, run_id: str, data: bytes) -> None:
        """Store the state of a run that is going on, in place of the one before; durable on return.

        What the run has emitted before is durable with it, and what it emits afterwards is discarded when the run is
        cut and goes on from here. `Conflict` (code `run_ended`) when the run is not going on.
        """
        ...

    async def get(self, run_id: str) -> bytes | None:
        """The stored state, None when there is none."""
        ...

    async def remove(self, run_id: str) -> None:
        """Forget the state: a cut run begins again from its message. Durable on return."""
        ...
