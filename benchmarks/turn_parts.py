"""What a floor turn is made of, each part alone: the encoder, LanceDB, LangGraph, SQLite and HTTP."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias, TypedDict

from langgraph.graph import END, START, StateGraph

from agent_gateway.knowledge.encoders.export import find_export
from agent_gateway.knowledge.encoders.onnx_encoder import OnnxEncoder
from agent_gateway.knowledge.encoders.weights import find_weights
from agent_gateway.knowledge.lancedb_store import Store
from agent_gateway.persona import STAGES

#: Does a part once; a part takes the next question by itself.
Part: TypeAlias = Callable[[], Awaitable[object]]
#: Passages of a turn, bytes of a turn's rows.
LIMIT, ROW_BYTES = 5, 8192
#: The floor is LanceDB at its best: the gateway itself gives it next to no cache.
CACHE_BYTES = 1024**3


class _State(TypedDict, total=False):
    message: str


@asynccontextmanager
async def open_parts(data_dir: Path, collection: str, questions: Sequence[str]) -> AsyncIterator[Mapping[str, Part]]:
    """The parts by name, over a data directory that nobody serves from."""
    weights = find_weights(data_dir / "cache")
    found = find_export(data_dir / "cache", weights.digest)
    if found is None or found.graph is None:
        raise SystemExit("the exported query encoder was not accepted")
    encoder, store = OnnxEncoder(found.graph, weights), await Store.open(data_dir / "knowledge", CACHE_BYTES)
    database = open_database(data_dir / "parts.sqlite3")
    graph = compile_empty_graph()
    asked = itertools.cycle([(question, encoder.encode_text(question)) for question in questions])
    try:
        yield {
            "encoder query": lambda: encoder.encode(next(asked)[0]),
            "LanceDB hybrid query": lambda: _search(store, collection, *next(asked)),
            "five empty LangGraph nodes": lambda: graph.ainvoke({"message": next(asked)[0]}),
            "SQLite commit": lambda: _commit(database),
        }
    finally:
        database.close()
        encoder.close()
        store.close()


def open_database(path: Path) -> sqlite3.Connection:
    """A database with the durability of the gateway's."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE rows (data BLOB)")
    return database


def compile_empty_graph() -> Any:
    """Five nodes in a row that do nothing."""
    graph: Any = StateGraph(_State)
    for name in STAGES:
        graph.add_node(name, _pass)
    for first, second in itertools.pairwise((START, *STAGES, END)):
        graph.add_edge(first, second)
    return graph.compile()


async def _pass(state: _State) -> _State:
    return {"message": state["message"]}


async def _search(store: Store, collection: str, question: str, vector: Any) -> None:
    await store.hybrid(collection, question, vector, LIMIT)


async def _commit(database: sqlite3.Connection) -> None:
    database.execute("INSERT INTO rows VALUES (?)", (bytes(ROW_BYTES),))
    await asyncio.sleep(0)
