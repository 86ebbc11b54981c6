"""The turn: classify by a prompt, retrieve by vectors, route by the documented score, answer, store."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

import aiosqlite
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, SecretStr

from benchmarks.peer_service.interactions import store

PASSAGES = 5
TIERS = ("small", "medium", "large")
SORTING = (
    "You sort messages that people send to the assistant of a homelab. Categories: deploy (change what runs or how), "
    "query (a fact, a document, a list or a value), troubleshoot (something is wrong), analyze (compute over data), "
    "train (start a training run), chat (greeting, thanks, questions about the assistant)."
)
ANSWERING = (
    "You are bruno, the general assistant of this homelab. Answer from the passages and from nothing else, and cite "
    "them as [1], [2]. If they do not answer the question, say so.\n\n{passages}"
)
SORT = ChatPromptTemplate.from_messages([("system", SORTING), ("human", "{message}")])
ANSWER = ChatPromptTemplate.from_messages([("system", ANSWERING), ("human", "{message}")])


class Classification(BaseModel, frozen=True):
    """What a message wants."""

    category: Literal["deploy", "query", "troubleshoot", "analyze", "train", "chat"]
    complexity: Literal["low", "medium", "high"]
    reasoning_depth: Literal[0, 1, 2, 3]
    accuracy_requirement: Literal[0, 1, 2]


UNASKED = Classification(category="query", complexity="low", reasoning_depth=0, accuracy_requirement=1)


@dataclass
class Turn:
    """One turn on its way. `sources` are those of the passages."""

    message: str
    begun: float = field(default_factory=time.perf_counter)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    intent: Classification = UNASKED
    tier: str = "small"
    sources: list[dict[str, Any]] = field(default_factory=list)
    passages: str = ""
    response: str = ""


class Assistant:
    """The chains, made once; `address` is an OpenAI-compatible one. Without `classifies` no model is asked first."""

    def __init__(self, address: str, model: str, passages: Any, database: aiosqlite.Connection, classifies: bool):
        def connect(temperature: float, tokens: int) -> ChatOpenAI:
            return ChatOpenAI(
                model=model,
                base_url=address,
                api_key=SecretStr("none"),
                temperature=temperature,
                max_completion_tokens=tokens,
            )

        self._classify = SORT | connect(0.1, 80).with_structured_output(Classification, method="json_schema")
        limits = {"small": (0.3, 1000), "medium": (0.3, 1000), "large": (0.7, 2000)}
        self._answer = {tier: ANSWER | connect(*limits[tier]) | StrOutputParser() for tier in TIERS}
        self._passages = passages
        self._database = database
        self._classifies = classifies

    async def answer(self, message: str) -> Turn:
        """A whole turn."""
        turn = await self._prepare(message)
        turn.response = await self._answer[turn.tier].ainvoke({"passages": turn.passages, "message": message})
        await self._keep(turn)
        return turn

    async def stream(self, message: str) -> AsyncIterator[str | Turn]:
        """The pieces of the answer, then the turn."""
        turn = await self._prepare(message)
        async for piece in self._answer[turn.tier].astream({"passages": turn.passages, "message": message}):
            turn.response += piece
            yield piece
        await self._keep(turn)
        yield turn

    async def _prepare(self, message: str) -> Turn:
        """Classify and retrieve side by side, then route."""
        turn = Turn(message)
        turn.intent, found = await asyncio.gather(self._sort(message), self._search(message))
        turn.sources = [{"n": n, "score": score, **each.metadata} for n, (each, score) in enumerate(found, start=1)]
        turn.passages = "\n\n".join(f"[{n}] {each.page_content}" for n, (each, _) in enumerate(found, start=1))
        turn.tier = route(message, turn.intent, len(found))
        return turn

    async def _sort(self, message: str) -> Classification:
        if not self._classifies:
            return UNASKED
        found = await self._classify.ainvoke({"message": message})
        assert isinstance(found, Classification)
        return found

    async def _search(self, message: str) -> list[tuple[Any, float]]:
        found = await self._passages.asimilarity_search_with_score(message, k=PASSAGES)
        return [(each, float(score)) for each, score in found]

    async def _keep(self, turn: Turn) -> None:
        sources = ",".join(each["source"] for each in turn.sources)
        intent = turn.intent.model_dump_json()
        await store(self._database, (turn.id, turn.id, turn.message, intent, turn.tier, turn.response, sources))


def route(message: str, intent: Classification, passages: int) -> str:
    """The tier of the documented score."""
    score = 0.1 * len(message.split()) + 2 * intent.reasoning_depth + 0.5 * passages + 3 * intent.accuracy_requirement
    if score < 5:
        return "small"
    return "medium" if score < 10 else "large"
