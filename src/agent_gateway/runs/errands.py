"""A piece of work within somebody else's transaction: it looks, decides and writes, and has a result of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Generic, TypeVar

from agent_gateway.errors import GatewayError

T = TypeVar("T")


class Errand(Generic[T]):
    """Keeps what `work` returned or refused in the writer's thread, for whoever waits in the event loop."""

    def __init__(self, work: Callable[[sqlite3.Connection], T]) -> None:
        self._work = work
        self._results: list[T] = []
        self._refusal = GatewayError("this was not done")

    def do(self, connection: sqlite3.Connection) -> None:
        """Do the work; what it refuses is no failure of the transaction."""
        try:
            self._results.append(self._work(connection))
        except GatewayError as error:
            self._refusal = error

    def result(self) -> T:
        """What was returned; raises what was refused."""
        if not self._results:
            raise self._refusal
        return self._results[0]
