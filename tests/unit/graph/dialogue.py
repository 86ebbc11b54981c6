"""A turn's answer with models that say what they are told to: real context, router, tools and knowledge."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
from tests.memory_records import NO_CLUSTERS, MemoryRecords, an_executor
from tests.unit.graph.parts import FAR, Ear, a_run, an_intent

from agent_gateway.builtin_tools import knowledge_search
from agent_gateway.completion import CompletionRequest, Finish, ModelInfo, ToolMode, ToolRequest, Usage
from agent_gateway.errors import ModelFailed
from agent_gateway.graph.context import AgentContext, TurnScope
from agent_gateway.graph.faculties import Faculties, ToolLimits
from agent_gateway.graph.router import Router
from agent_gateway.graph.writing.writer import ModelWriter
from agent_gateway.interfaces import (
    CompletionPiece,
    CompletionTask,
    Generation,
    GenerationRequest,
    Passage,
    RouteCase,
    RouteChoice,
    Standing,
)
from agent_gateway.messages import Exchange, Route, Tier
from agent_gateway.models.extractive import ExtractiveModel
from agent_gateway.persona import Persona, Policy
from agent_gateway.policy.executor import ToolExecutor
from agent_gateway.testing import HashingEncoder, StaticClassifier, StaticKnowledge
from agent_gateway.tool import Tool, ToolResult, tool


@dataclass(frozen=True)
class Say:
    """One reply of a model: its text in pieces, calls it makes, or an error that is raised instead or after them."""

    text: str = ""
    calls: Sequence[tuple[str, str]] = ()
    error: Exception | None = None
    finish: Finish | None = None
    model: ModelInfo | None = None
    notices: tuple[str, ...] = ()
    tokens: int = 10

    def pieces(self, info: ModelInfo) -> list[CompletionPiece]:
        """What comes of it."""
        pieces = [CompletionPiece(model=self.model or info, notices=self.notices)]
        pieces += [CompletionPiece(text=self.text[start : start + 5]) for start in range(0, len(self.text), 5)]
        requests = tuple(
            ToolRequest(id=f"m{n}", name=name, arguments=text) for n, (name, text) in enumerate(self.calls)
        )
        finish: Finish = self.finish or ("tool_calls" if requests else "stop")
        usage = Usage(prompt_tokens=self.tokens, completion_tokens=1)
        return [*pieces, CompletionPiece(finish=finish, tool_requests=requests, usage=usage)]


def an_info(tier: Tier = "small", tools: ToolMode = "native", **changes: Any) -> ModelInfo:
    """A model of a tier; it has one token for four characters."""
    info = ModelInfo(
        model=f"{tier}-model", tier=tier, window=8192, max_tokens=1000, temperature=0.3, tools=tools, schemas=True,
        count=lambda text: len(text) // 4 + 1,
    )  # fmt: skip
    return msgspec.structs.replace(info, **changes)


@dataclass
class ScriptedCompletions:
    """Implements `Completions` with the next reply of a script for each call; the last one for all that follow."""

    script: Sequence[Say]
    tools: ToolMode = "native"
    info: Mapping[str, Any] = field(default_factory=dict)
    tasks: list[CompletionTask] = field(default_factory=list)
    requests: list[CompletionRequest] = field(default_factory=list)

    async def stream(self, task: CompletionTask) -> AsyncIterator[CompletionPiece]:
        said = self.script[min(len(self.tasks), len(self.script) - 1)]
        info = said.model or an_info(task.tier, self.tools, **self.info)
        self.tasks.append(task)
        self.requests.append(task.build(info))
        if said.error is not None and not said.text:
            raise said.error
        for piece in said.pieces(info):
            if said.error is not None and piece.finish is not None:
                raise said.error
            yield piece

    def standing(self, persona: Persona) -> Mapping[Tier, Standing]:
        del persona
        return {name: Standing(up=True, model=f"{name}-model") for name in ("small", "medium", "large")}

    def fallbacks(self, tier: Tier) -> tuple[Tier, ...]:
        del tier
        return ()


@dataclass
class EscalatingPolicy:
    """Small at first; `up` is the tier after a failure."""

    up: Tier = "small"
    cases: list[RouteCase] = field(default_factory=list)
    name: str = "escalating"

    def decide(self, case: RouteCase) -> RouteChoice:
        self.cases.append(case)
        return RouteChoice(tier=self.up if case.failures else "small", score=1.0, parts={}, reason="a test")


@dataclass
class Dialogue:
    """Everything one answer is made with; `run` collects its pieces."""

    script: Sequence[Say]
    mode: ToolMode = "native"
    tools: Sequence[Tool] = ()
    persona_tools: tuple[str, ...] | None = None
    suggest_only: bool = False
    passages: tuple[Passage, ...] = ()
    answerable: bool = False
    depth: int = 2
    category: str = "query"
    message: str = "Where are the keys?"
    history: tuple[Exchange, ...] = ()
    knowledge: StaticKnowledge = field(default_factory=StaticKnowledge)
    policy: EscalatingPolicy = field(default_factory=EscalatingPolicy)
    limits: ToolLimits = field(default_factory=ToolLimits)
    info: Mapping[str, Any] = field(default_factory=dict)
    executor: ToolExecutor | None = None
    pieces: list[Generation] = field(default_factory=list)
    completions: ScriptedCompletions = field(init=False)

    def __post_init__(self) -> None:
        self.completions = ScriptedCompletions(self.script, self.mode, self.info)
        known = {each.name: each for each in self.tools}
        names = tuple(known) if self.persona_tools is None else self.persona_tools
        policy = Policy(suggest_only=self.suggest_only)
        self.persona = Persona(id="nora", title="Librarian", prompt="You are nora.", tools=names, policy=policy)
        faculties = Faculties(
            encoder=HashingEncoder(),
            classifier=StaticClassifier(),
            knowledge=self.knowledge,
            router=Router(self.policy, self.completions),
            models={"extractive": ExtractiveModel()},
            completions=self.completions,
            tools=self.executor or an_executor(known),
            clusters=NO_CLUSTERS,
            checkpoints=MemoryRecords(),
            collections=lambda persona, intent: ("docs",),
            remember=lambda interaction: None,
            passages=5,
        )
        self.context = AgentContext(self.persona, (), ("query",), faculties, TurnScope(a_run(), Ear(), FAR))

    async def run(self) -> Dialogue:
        """Have the answer written."""
        request = GenerationRequest(
            persona=self.persona,
            abilities=("look things up",),
            question=self.message,
            message=self.message,
            intent=an_intent(self.category, reasoning_depth=self.depth),
            passages=self.passages,
            answerable=self.answerable,
            collections=("docs",),
            history=self.history,
        )
        route = Route(tier="small", model="small-model", score=1.0, parts={}, reason="a test")
        writer = ModelWriter(self.context, ExtractiveModel(), self.limits)
        async for piece in writer.generate(request, route):
            self.pieces.append(piece)
        return self

    @property
    def text(self) -> str:
        return "".join(each.text for each in self.pieces)

    @property
    def results(self) -> list[ToolResult]:
        return [each.result for each in self.pieces if each.result is not None]

    @property
    def notices(self) -> list[str]:
        return [each.notice for each in self.pieces if each.notice]

    @property
    def routes(self) -> list[Route]:
        return [each.route for each in self.pieces if each.route is not None]

    @property
    def cited(self) -> list[int]:
        return [each.citation.n for each in self.pieces if each.citation is not None]

    def seen(self, call: int) -> str:
        """All that the model was told in a call, from 0."""
        return "\n".join(each.content for each in self.completions.requests[call].messages)


class Bell:
    """A tool that counts how often it rang."""

    def __init__(self) -> None:
        self.rung: list[int] = []

    async def ring(self, times: Annotated[int, msgspec.Meta(description="How often.")] = 1) -> str:
        """Ring the bell."""
        self.rung.append(times)
        return f"It rang {times} times."

    def tool(self) -> Tool:
        return tool(self.ring, name="ring")


async def _erase(path: str) -> str:
    """Erase a file."""
    raise AssertionError(path)


ERASE = tool(_erase, name="erase", effect="write")
SEARCH = knowledge_search
DOWN = ModelFailed("every model is down", code="no_model_available")
