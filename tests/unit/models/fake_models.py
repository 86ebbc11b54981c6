"""A connection to a model that says what a test wrote down, and the books of what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
import pytest

from agent_gateway.completion import (
    ChatMessage,
    ChatModel,
    CompletionChunk,
    CompletionRequest,
    ModelInfo,
    ModelSpec,
    Timeouts,
    Usage,
)
from agent_gateway.config.models import BreakerSettings, FallbackSettings
from agent_gateway.errors import ModelFailed
from agent_gateway.interfaces import CompletionPiece, Completions, CompletionTask, ModelUse
from agent_gateway.messages import Tier
from agent_gateway.models.completions import TieredCompletions
from agent_gateway.models.connections import Connections
from agent_gateway.models.timing import ModelStream
from agent_gateway.persona import Persona

NORA = Persona(id="nora", title="Librarian of the house", prompt="Read.")
SMALL = ModelSpec(model="fake/small", address="http://small.lan")
MEDIUM = ModelSpec(model="fake/medium", address="http://medium.lan")
LARGE = ModelSpec(model="fake/large", address="http://large.lan")
#: Text, a chunk, seconds of silence, or an error.
Line: TypeAlias = str | CompletionChunk | float | BaseException
END = CompletionChunk(finish="stop", usage=Usage(prompt_tokens=10, completion_tokens=5))
FOREVER = 3600.0


class FakeModel:
    """Plays one script for each call, the last one again and again. `streaming`: answers that have not ended."""

    def __init__(self, *scripts: Sequence[Line], stubborn: bool = False) -> None:
        self.requests: list[CompletionRequest] = []
        self.streaming = 0
        self.closed = False
        self._scripts = scripts
        self._stubborn = stubborn

    async def stream(self, request: CompletionRequest) -> AsyncIterator[CompletionChunk]:
        script = self._scripts[min(len(self.requests), len(self._scripts) - 1)]
        self.requests.append(request)
        self.streaming += 1
        try:
            for line in script:
                if isinstance(line, BaseException):
                    raise line
                if isinstance(line, float):
                    await asyncio.sleep(line)
                else:
                    yield CompletionChunk(text=line) if isinstance(line, str) else line
        except asyncio.CancelledError:
            if self._stubborn:
                await asyncio.sleep(1.0)
            raise
        finally:
            self.streaming -= 1

    async def close(self) -> None:
        self.closed = True


class ListLedger:
    """A ledger in memory; `spent_before` is what every persona had spent already."""

    def __init__(self, spent_before: float = 0.0) -> None:
        self.uses: list[ModelUse] = []
        self._before = spent_before

    def record(self, use: ModelUse) -> None:
        self.uses.append(use)

    def spent(self, persona: str) -> float:
        return self._before + sum(use.cost for use in self.uses if use.persona == persona)

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        return [(use.model, use.outcome) for use in self.uses]


class House:
    """Completions over fake models, on the running loop. `tiers` take a spec with its model, or several."""

    def __init__(
        self,
        tiers: Mapping[Tier, Sequence[tuple[ModelSpec, ChatModel]]],
        *,
        spent: float = 0.0,
        daily_budget: float = 0.0,
        also: Sequence[tuple[ModelSpec, ChatModel]] = (),
        breaker: BreakerSettings | None = None,
    ) -> None:
        every = [pair for pairs in tiers.values() for pair in pairs] + list(also)
        self.models = dict(every)
        self.ledger = ListLedger(spent)
        self.now = 0.0
        loop = asyncio.get_running_loop()
        #: The breakers' clock can be put forward.
        self.connections = Connections(
            lambda spec: self.models[spec], breaker or BreakerSettings(), lambda: loop.time() + self.now
        )
        self.completions = TieredCompletions(self.connections, FallbackSettings(), self.ledger, daily_budget)
        self.completions.adopt({tier: tuple(spec for spec, _ in pairs) for tier, pairs in tiers.items()})

    def ask(self, tier: Tier = "small", **changes: Any) -> AsyncIterator[CompletionPiece]:
        front: Completions = self.completions
        return front.stream(a_task(tier, **changes))

    async def answer(self, tier: Tier = "small", **changes: Any) -> list[CompletionPiece]:
        return [piece async for piece in self.ask(tier, **changes)]


def a_task(tier: Tier = "small", *, seconds: float = 10.0, **changes: Any) -> CompletionTask:
    given: dict[str, Any] = {
        "persona": NORA,
        "owner": "ann",
        "run_id": "run-1",
        "stage": "act",
        "tier": tier,
        "build": ask_of,
        "deadline": asyncio.get_running_loop().time() + seconds,
    }
    return CompletionTask(**{**given, **changes})


def ask_of(info: ModelInfo) -> CompletionRequest:
    return CompletionRequest(messages=(ChatMessage(role="user", content="Where are the keys?"),))


def building(seen: list[ModelInfo]) -> Callable[[ModelInfo], CompletionRequest]:
    """A builder that keeps what it was told."""

    def build(info: ModelInfo) -> CompletionRequest:
        seen.append(info)
        return ask_of(info)

    return build


def text_of(pieces: Sequence[CompletionPiece]) -> str:
    return "".join(piece.text for piece in pieces)


def one(spec: ModelSpec, *scripts: Sequence[Line]) -> tuple[ModelSpec, FakeModel]:
    """A spec with a model that plays these scripts."""
    return spec, FakeModel(*scripts)


def failing(code: str, detail: str = "", **more: Any) -> ModelFailed:
    return ModelFailed(detail or f"it says {code}", code=code, **more)


REFUSED = failing("model_unreachable", "connection refused")
OVERLOADED = failing("model_overloaded", "cannot answer now", transient=True)
CUT = failing("model_stream_cut", "stopped in mid-answer", transient=True)


def with_timeouts(spec: ModelSpec, **seconds: float) -> ModelSpec:
    return msgspec.structs.replace(spec, timeouts=Timeouts(**seconds))


async def fail(house: House, tier: Any = "small", **changes: Any) -> tuple[ModelFailed, list[CompletionPiece]]:
    pieces: list[CompletionPiece] = []

    async def listen() -> None:
        async for piece in house.ask(tier, **changes):
            pieces.append(piece)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(ModelFailed) as raised:
        await listen()
    return raised.value, pieces


async def read(stream: ModelStream) -> list[str]:
    """The texts of a stream to its end; it is closed whatever happens."""
    texts = []
    try:
        while (chunk := await stream.next()) is not None:
            texts.append(chunk.text)
    finally:
        await stream.close()
    return texts
