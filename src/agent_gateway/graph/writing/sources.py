"""The passages an answer may cite, in the order they were found."""

from __future__ import annotations

from collections.abc import Sequence

from agent_gateway.interfaces import Passage


class Sources:
    """Numbers passages from 1; one that is found again keeps its number."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str, int], int] = {}
        self._passages: list[Passage] = []

    def add(self, passages: Sequence[Passage]) -> tuple[int, ...]:
        """The passages' numbers; those that are new come after all others."""
        return tuple(self._number(passage) for passage in passages)

    @property
    def passages(self) -> Sequence[Passage]:
        """All of them; the first is number 1."""
        return self._passages

    def _number(self, passage: Passage) -> int:
        key = (passage.collection, passage.source, passage.chunk)
        number = self._numbers.setdefault(key, len(self._passages) + 1)
        if number > len(self._passages):
            self._passages.append(passage)
        return number
