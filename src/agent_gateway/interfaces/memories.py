"""Remembered interactions: what is kept of a finished turn, and how it is forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Protocol, TypeAlias

import msgspec

Condition: TypeAlias = Annotated[str, msgspec.Meta(max_length=4096)]


class Interaction(msgspec.Struct, frozen=True, kw_only=True):
    """A finished turn as it is remembered in `agent-interactions`; `at` is ISO 8601, UTC.

    `vector` is the query's, float16 bytes, so that it need not be encoded again; empty when it is not known.
    """

    run_id: str
    conversation_id: str
    persona: str
    owner: str
    query: str
    response: str
    category: str
    sources: tuple[str, ...]
    at: str
    vector: bytes = b""


class Forgetting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which interactions to forget: those that meet every condition that is given.

    `source` is a glob, and one source that matches is enough; `*` goes across folders too. One of `source`, `run_id`
    and `owner` is needed, else a `ValueError`. With `dry_run` they are only counted.
    """

    source: Condition | None = None
    run_id: Condition | None = None
    owner: Condition | None = None
    persona: Condition | None = None
    dry_run: bool = False

    def __post_init__(self) -> None:
        """Refuse to forget everything by an oversight."""
        if self.source is None and self.run_id is None and self.owner is None:
            raise ValueError("name a source, a run or an owner")

    def cites(self, sources: Sequence[str]) -> bool:
        """Tell whether an answer from these sources is meant, as far as sources say so."""
        return self.source is None or any(fnmatchcase(each, self.source) for each in sources)

    def matches(self, interaction: Interaction) -> bool:
        """Tell whether an interaction is meant."""
        wanted = (self.run_id, self.owner, self.persona)
        given = (interaction.run_id, interaction.owner, interaction.persona)
        same = all(one in {None, other} for one, other in zip(wanted, given, strict=True))
        return same and self.cites(interaction.sources)


class Undelivered(Protocol):
    """Interactions of finished turns that the knowledge base has not been given yet."""

    async def withdraw(self, which: Forgetting) -> Sequence[str]:
        """Take back those that match, so that they never arrive; returns the ids of their runs."""
        ...
