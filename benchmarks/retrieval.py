"""Our search beside one LanceDB hybrid query over the same chunks, also after a thousand remembered turns.

    python -m benchmarks.retrieval [--chunks 300 10000] [--rounds 2] [--remembered 1000] [--seed 1]

The chunks are those of the public documents; beyond their number they are repeated with other words and other vectors.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent_gateway.interfaces import Interaction, SearchQuery
from agent_gateway.knowledge.ingest import Ingester
from agent_gateway.knowledge.lancedb_store import Store
from agent_gateway.knowledge.library import Library
from agent_gateway.knowledge.ranker import load_ranker
from agent_gateway.knowledge.rows import ChunkRow, FileState, StoredChunks, TableMark
from benchmarks.corpus import open_corpus
from benchmarks.figures import Figure, quantile, show
from benchmarks.questions import Question, load
from benchmarks.turn_parts import CACHE_BYTES

Floats: TypeAlias = NDArray[np.float32]
#: A question with its vector.
Asked: TypeAlias = tuple[str, Floats]

RATIO, PASSAGES = 1.2, 5
COLLECTION, PERSONA, OWNER = "chunks", "bruno", "local"
#: Interactions are written in batches, as the outbox hands them over.
BATCH = 50
#: How far a repeated chunk's vectors are from the original's, and every how many words one is another.
NOISE, STEP = 0.05, 6
MARK = TableMark(encoder="benchmark", precision="fp32", sentences="late")


class NoEncoder:
    """Stands where nothing is ever encoded."""

    digest = precision = "none"

    async def encode(self, texts: Any) -> Any:
        raise RuntimeError(f"nothing is to be encoded, but {len(texts)} texts were given")


@dataclass(frozen=True)
class Bench:
    """A store with one collection of chunks, the library over it, and what is asked."""

    store: Store
    library: Library
    asked: Sequence[Asked]
    chunks: int


@asynccontextmanager
async def open_bench(rows: Sequence[ChunkRow], asked: Sequence[Asked]) -> AsyncIterator[Bench]:
    """Store the rows, index them as the gateway does, and load them."""
    with tempfile.TemporaryDirectory(prefix="agent-gateway-benchmark-") as folder:
        store = await Store.open(Path(folder), CACHE_BYTES)
        await store.rewrite(COLLECTION, MARK, rows)
        await store.index_text(COLLECTION)
        await store.tables.tidy(COLLECTION)
        library = Library(store, Ingester(store, NoEncoder(), MARK), NoEncoder(), ranker=load_ranker())
        await library.load()
        try:
            yield Bench(store, library, asked, len(rows))
        finally:
            store.close()


async def time_searches(bench: Bench, rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds of our search with recall, and of LanceDB's own, question by question in turn."""
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        for text, vector in bench.asked:
            query = SearchQuery(text=text, collections=(COLLECTION,), limit=PASSAGES, vector=vector)
            begun = time.perf_counter()
            await asyncio.gather(bench.library.recall(vector, PERSONA, OWNER), bench.library.search(query))
            ours.append((time.perf_counter() - begun) * 1000)
            begun = time.perf_counter()
            await bench.store.hybrid(COLLECTION, text, vector, PASSAGES)
            theirs.append((time.perf_counter() - begun) * 1000)
    return ours, theirs


async def remember(bench: Bench, turns: int) -> None:
    """Absorb so many turns, each with a question of its own."""
    source = random.Random(0)
    for first in range(0, turns, BATCH):
        batch = [_interaction(number, *source.choice(bench.asked)) for number in range(first, first + BATCH)]
        await bench.library.absorb(batch, ())


def _interaction(number: int, text: str, vector: Floats) -> Interaction:
    return Interaction(
        run_id=f"run-{number}",
        conversation_id=f"conversation-{number // 3}",
        persona=PERSONA,
        owner=OWNER,
        query=f"{text} ({number})",
        response="An answer of a few sentences. " * 10,
        category="query",
        sources=(f"page-{number % 50}.md",),
        at=f"2026-01-01T00:00:{number:09d}Z",
        vector=vector.astype("<f2").tobytes(),
    )


def make_rows(stored: StoredChunks, count: int, seed: int) -> list[ChunkRow]:
    """So many rows of the stored chunks; every further time round their words and vectors are varied."""
    source = np.random.default_rng(seed)
    rows: list[ChunkRow] = []
    for number in range(count):
        turn, row = divmod(number, len(stored))
        made = ChunkRow(
            root="/benchmark",
            source=f"{turn}/{stored.sources[row]}",
            title=stored.titles[row],
            headings=stored.headings[row],
            chunk=int(stored.chunks[row]),
            text=stored.texts[row],
            spans=stored.spans[row],
            vector=stored.vectors[row],
            sentence_vectors=stored.sentence_vectors[row],
            file=FileState(1, 1, "benchmark"),
            at="2026-01-01T00:00:00Z",
        )
        rows.append(vary(made, turn, source) if turn else made)
    return rows


def vary(row: ChunkRow, turn: int, source: np.random.Generator) -> ChunkRow:
    """A chunk that is like another one; letters change in place, so that the sentences stay where they are."""
    words = row.text.split(" ")
    for place in range(turn % STEP, len(words), STEP):
        words[place] = "".join(
            chr((ord(letter) - 97 + turn) % 26 + 97) if letter.islower() else letter for letter in words[place]
        )
    vector = row.vector + source.normal(0, NOISE, row.vector.shape).astype(np.float32)
    return replace(row, text=" ".join(words), vector=np.asarray(vector / np.linalg.norm(vector), dtype=np.float32))


async def measure(rows: Sequence[ChunkRow], asked: Sequence[Asked], rounds: int, remembered: int) -> list[Figure]:
    """The figures over one collection, before and after turns are remembered."""
    async with open_bench(rows, asked) as bench:
        await time_searches(bench, 1)
        figures = report(f"{len(rows)} chunks", *await time_searches(bench, rounds))
        await remember(bench, remembered)
        return figures + report(f"{len(rows)} chunks, {remembered} turns later", *await time_searches(bench, rounds))


def report(name: str, ours: Sequence[float], theirs: Sequence[float]) -> list[Figure]:
    """Median and 95th percentile."""
    floor = quantile(theirs, 0.95)
    return [
        Figure(f"search, {name}, p50", statistics.median(ours), "ms", None, statistics.median(theirs)),
        Figure(f"search, {name}, p95", quantile(ours, 0.95), "ms", RATIO * floor, floor),
    ]


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, nargs="+", default=[300, 10_000])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--remembered", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    async with open_corpus() as corpus:
        stored = await corpus.store.load("public")
        questions = [each.question for each in load("public_questions_dev.jsonl", Question)]
        asked = [(question, corpus.encoder.encode_text(question)) for question in questions]
    figures: list[Figure] = []
    for count in given.chunks:
        figures += await measure(make_rows(stored, count, given.seed), asked, given.rounds, given.remembered)
    show("retrieval", figures)


if __name__ == "__main__":
    asyncio.run(main())
