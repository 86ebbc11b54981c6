"""Whether the second question of a conversation is understood in context, and an unrelated one is left alone.

    python -m benchmarks.followups [--split test|dev]

Runs the retrieve stage itself over the public documents.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any, cast

from agent_gateway.events import EventData
from agent_gateway.graph.retrieve import retrieve
from agent_gateway.intent import Intent
from agent_gateway.interfaces import (
    Context,
    SearchQuery,
    SearchResult,
    TurnState,
)
from agent_gateway.knowledge.index import CollectionIndex
from agent_gateway.knowledge.ranker import Ranker, load_ranker
from agent_gateway.knowledge.search import search_collections
from agent_gateway.messages import Exchange, Recollection
from agent_gateway.persona import Persona
from benchmarks.corpus import Corpus, open_corpus
from benchmarks.questions import FollowUp, load

INTENT = Intent(category="query", complexity="low", reasoning_depth=0, accuracy_requirement=1, confidence=1.0)


class RetrievalContext:
    """The context of a turn over one collection; what retrieve does not use raises."""

    run_id = conversation_id = owner = "bench"
    persona = Persona(id="bench", title="Bench", prompt="")
    abilities: tuple[str, ...] = ()

    def __init__(self, corpus: Corpus, index: CollectionIndex, ranker: Ranker) -> None:
        self._corpus = corpus
        self._index = index
        self._ranker = ranker

    async def emit(self, data: EventData) -> None:
        """Nobody listens."""

    async def encode(self, text: str) -> Any:
        """The vector of one text."""
        return self._corpus.encoder.encode_text(text)

    async def classify(self, text: str, vector: Any) -> Intent:
        """Every message is a query."""
        return INTENT

    def collections(self, intent: Intent) -> tuple[str, ...]:
        """The one collection."""
        return ("docs",)

    async def search(self, query: SearchQuery) -> SearchResult:
        """Search it."""
        return search_collections({"docs": self._index}, self._ranker, query.text, query.vector, query.limit)

    async def recall(self, vector: Any) -> tuple[Recollection, ...]:
        """Nothing was asked before."""
        return ()


async def second(context: RetrievalContext, pair: FollowUp) -> tuple[list[str], bool]:
    """The pages retrieved for the second question, best first, and whether it was searched for in context."""
    state: TurnState = {
        "message": pair.second,
        "history": (Exchange(message=pair.first, response=""),),
        "vector": await context.encode(pair.second),
        "intent": INTENT,
    }
    # Retrieve uses no more of a context than this one has.
    update = await retrieve(state, cast("Context", context))
    pages = list(dict.fromkeys(passage.source for passage in update["passages"]))
    return pages, update["question"] != pair.second


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--misses", action="store_true", help="print the pairs that went wrong")
    options = parser.parse_args()
    async with open_corpus() as corpus:
        groups = [(corpus.public, load(f"public_followups_{options.split}.jsonl", FollowUp))]
        if options.split == "dev":
            groups.append((corpus.homelab, load("homelab_followups_dev.jsonl", FollowUp)))
        right: dict[bool, list[bool]] = {True: [], False: []}
        dragged = []
        for index, pairs in groups:
            context = RetrievalContext(corpus, index, load_ranker())
            for pair in pairs:
                pages, joined = await second(context, pair)
                right[pair.related].append(pair.source in pages[:3])
                if not pair.related:
                    dragged.append(joined)
                if options.misses and not right[pair.related][-1]:
                    print(f"{'related' if pair.related else 'new'} joined={joined}: {pair.first} | {pair.second}")
                    print(f"    wanted {pair.source}, got {pages[:3]}")
    print(f"related: right page in the top 3   {sum(right[True])}/{len(right[True])}")
    print(f"unrelated: right page in the top 3 {sum(right[False])}/{len(right[False])}")
    print(f"unrelated: searched with the old topic {sum(dragged)}/{len(dragged)}")


if __name__ == "__main__":
    asyncio.run(main())
