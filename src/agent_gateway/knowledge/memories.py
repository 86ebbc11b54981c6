"""What was asked before, in memory: the latest interactions of every persona and owner, searched by vector."""

from __future__ import annotations

from collections.abc import Sequence
from sys import intern
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from agent_gateway.interfaces import Interaction
from agent_gateway.knowledge.vectors import multiply, shorten
from agent_gateway.messages import Recollection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

#: Kept in memory; older ones stay in the store. Recent questions are the ones worth pointing at.
CAPACITY = 5000
#: Cosine from which two questions count as the same one asked again.
SIMILAR = 0.8
MOST = 3


class _Memory(NamedTuple):
    run_id: str
    scope: tuple[str, str]
    question: str
    at: str
    sources: tuple[str, ...]


class Memories:
    """A ring of the latest interactions; the oldest makes room."""

    def __init__(self, dimensions: int) -> None:
        # Whole numbers take a quarter of what a thousand turns add, and move a cosine by some 0.001.
        self._vectors = np.zeros((64, dimensions), dtype=np.int8)
        self._scales = np.zeros(CAPACITY, dtype=np.float32)
        self._entries: list[_Memory | None] = []
        self._rows: dict[str, int] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, interactions: Sequence[Interaction], vectors: Sequence[Floats]) -> None:
        """Remember interactions; one that cited nothing has nothing to point at and is left out."""
        for interaction, vector in zip(interactions, vectors, strict=True):
            if interaction.sources:
                self._put(interaction, vector)
            else:
                # The answer of a run that was repeated may have had sources before.
                self.forget((interaction.run_id,))

    def forget(self, run_ids: Sequence[str]) -> None:
        """Drop the interactions of these runs."""
        for run_id in run_ids:
            row = self._rows.pop(run_id, None)
            if row is not None:
                self._entries[row] = None
                self._vectors[row] = 0

    def recall(self, vector: Floats, persona: str, owner: str, *, shared: bool = False) -> tuple[Recollection, ...]:
        """The questions of this persona that come closest, best first: those of this owner, or when `shared` of all.

        Another owner's run is not named: it could not be read.
        """
        if not self._rows:
            return ()
        count = len(self._entries)
        cosines = multiply(self._vectors[:count], vector) * self._scales[:count]
        found: list[Recollection] = []
        for row in np.argsort(-cosines):
            if cosines[row] < SIMILAR or len(found) == MOST:
                break
            entry = self._entries[row]
            if entry is not None and (entry.scope == (persona, owner) or (shared and entry.scope[0] == persona)):
                found.append(
                    Recollection(
                        question=entry.question,
                        run_id=entry.run_id if entry.scope[1] == owner else "",
                        asked_at=entry.at,
                        sources=entry.sources,
                        score=round(float(cosines[row]), 4),
                    )
                )
        return tuple(found)

    def _put(self, interaction: Interaction, vector: Floats) -> None:
        row = self._rows.get(interaction.run_id)
        if row is None:
            row = self._claim()
            self._rows[interaction.run_id] = row
        # The same few names in thousands of entries: each is kept once.
        scope = (intern(interaction.persona), intern(interaction.owner))
        sources = tuple(intern(source) for source in interaction.sources)
        self._entries[row] = _Memory(interaction.run_id, scope, interaction.query, interaction.at, sources)
        self._vectors[row], self._scales[row] = shorten(vector)

    def _claim(self) -> int:
        if len(self._entries) < CAPACITY:
            if len(self._entries) == len(self._vectors):
                grown = min(2 * len(self._vectors), CAPACITY)
                self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])[:grown]
            self._entries.append(None)
            return len(self._entries) - 1
        row = self._next
        self._next = (row + 1) % CAPACITY
        entry = self._entries[row]
        if entry is not None:
            self._rows.pop(entry.run_id, None)
        return row
