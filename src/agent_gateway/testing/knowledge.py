"""Knowledge that a test writes down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from agent_gateway.interfaces import (
    CollectionInfo,
    Passage,
    SearchQuery,
    SearchResult,
    Sentence,
    Vector,
)
from agent_gateway.knowledge.lexicon import terms
from agent_gateway.knowledge.sentences import split_sentences
from agent_gateway.messages import Recollection

#: A passage answers a query when it has this share of the query's words.
ANSWERING_SHARE = 0.5
#: How much more likely, in log odds, a sentence with all words of the query answers than one with none.
SENTENCE_WEIGHT = 6.0


def passage(text: str, *, source: str = "test.md", title: str = "Test", chunk: int = 0) -> Passage:
    """Write down a passage; its collection and score come from the knowledge it is put into and the query."""
    return Passage(text=text, source=source, title=title, chunk=chunk, score=0.0, collection="")


class StaticKnowledge:
    """Passages by collection; implements `Knowledge`.

    A passage scores the share of the query's words that it has; 0.5 answers. Passages without sentences are cut.
    """

    def __init__(self, collections: Mapping[str, Sequence[Passage]] | None = None) -> None:
        self.held = {name: tuple(passages) for name, passages in (collections or {}).items()}
        self.recollections: tuple[Recollection, ...] = ()
        self.queries: list[SearchQuery] = []

    async def search(self, query: SearchQuery) -> SearchResult:
        """The best passages of the query's collections; those that share no word with it are left out."""
        self.queries.append(query)
        wanted = frozenset(terms(query.text))
        scored = [
            rate(msgspec.structs.replace(each, collection=name), wanted)
            for name in query.collections
            for each in self.held.get(name, ())
        ]
        found = sorted((each for each in scored if each.score), key=lambda each: -each.score)
        best = found[0].score if found else 0.0
        return SearchResult(passages=tuple(found[: query.limit]), answerable=best >= ANSWERING_SHARE, score=best)

    async def recall(self, vector: Vector, persona: str, owner: str) -> tuple[Recollection, ...]:
        """What the test put into `recollections`."""
        del vector, persona, owner
        return self.recollections

    def names(self) -> tuple[str, ...]:
        """The collections."""
        return tuple(self.held)

    async def collections(self) -> tuple[CollectionInfo, ...]:
        """Every collection with its size."""
        return tuple(
            CollectionInfo(
                name=name,
                documents=len({each.source for each in passages}),
                chunks=len(passages),
                encoder="",
                precision="",
                updated_at="",
            )
            for name, passages in self.held.items()
        )


def rate(each: Passage, wanted: frozenset[str]) -> Passage:
    """Score a passage, and its sentences, by the words they share with a query."""
    spans = split_sentences(each.text)
    sentences = each.sentences or tuple(
        Sentence(start, end, SENTENCE_WEIGHT * share(each.text[start:end], wanted)) for start, end in spans
    )
    return msgspec.structs.replace(each, score=round(share(each.text, wanted), 4), sentences=sentences)


def share(text: str, wanted: frozenset[str]) -> float:
    """The share of the wanted words that a text has, 0 to 1."""
    return len(wanted & set(terms(text))) / len(wanted) if wanted else 0.0
