"""Calls of a model within one answer: who speaks, what is said, and what it used."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

from agent_gateway.completion import ModelInfo, ToolRequest, Usage
from agent_gateway.errors import ModelFailed
from agent_gateway.graph.router import FLOOR
from agent_gateway.graph.writing.call_screen import CallScreen
from agent_gateway.graph.writing.citing import Citer
from agent_gateway.graph.writing.closing import closing
from agent_gateway.graph.writing.prompt import Material, Observation, Prompt
from agent_gateway.graph.writing.repetition import RepetitionGuard
from agent_gateway.graph.writing.rules import Task
from agent_gateway.graph.writing.thinking import ThoughtFilter
from agent_gateway.graph.writing.tool_protocol import UNREADABLE, Reading, read_reply, read_request
from agent_gateway.interfaces import CompletionPiece, Context, Failure, Generation, GenerationRequest, Step, TurnState
from agent_gateway.messages import Route, Tier
from agent_gateway.tool import Tool

#: The code of the error when no model can be asked.
NO_MODEL = "no_model_available"
_REPEATS = "repetition"
_CUT = {
    _REPEATS: "The model began to repeat itself, and the answer was ended there.",
    "length": "The answer ends where the model's limit of tokens was reached.",
    "content_filter": "The model's server filtered the rest of the answer.",
}


@dataclass
class Proposal:
    """What came of asking for the next step: a reading of it, and whether the user was told anything."""

    reading: Reading = field(default_factory=Reading)
    spoke: bool = False


class Speaker:
    """One answer's conversation with models; `route` is that of who spoke last.

    Whatever the loop learns is put here for the next call: `observations`, `correction`, `failures`.
    """

    def __init__(self, context: Context, request: GenerationRequest, route: Route) -> None:
        self.route = route
        self.observations: list[Observation] = []
        self.correction = ""
        self.failures: list[Failure] = []
        self.tokens = 0
        self._context = context
        self._request = request
        self._passages = tuple(zip(context.cite(request.passages), request.passages, strict=True))
        self._tag = secrets.token_hex(4)
        self._citer = Citer(lambda: context.citable, self._knows)
        #: The tools that the model knows of, and may ask for although it is to answer.
        self._names: tuple[str, ...] = tuple(context.persona.tools)
        self._evaded = False
        #: Tiers that could not answer in this turn: asking them at each step could mean waiting at each step.
        self._mute: set[Tier] = set()
        self._model: ModelInfo | None = None
        self._finish: str = ""
        self._requests: tuple[ToolRequest, ...] = ()

    def restore(self, observations: Sequence[Observation], failures: Sequence[Failure], tokens: int) -> None:
        """Know again what an answer that stood still knew."""
        self.observations, self.failures, self.tokens = list(observations), list(failures), tokens

    @property
    def spoke(self) -> bool:
        """Whether the model that was asked last said anything to the user."""
        return self._citer.begun

    @property
    def answered(self) -> bool:
        """Whether that was an answer, and not a tool call that was due no more."""
        return self.spoke and not self._evaded

    async def speak(self, task: Task) -> AsyncIterator[Generation]:
        """Have the answer written, each piece shown as it comes; a tool call that is written instead is not."""
        screen = CallScreen(self._names)
        async for piece in self._ask(Prompt(self._material(), task)):
            if isinstance(piece, str):
                for shown in self._citer.feed(screen.feed(piece) if self._names else piece):
                    yield shown
            else:
                yield piece
        rest = screen.finish()
        self._evaded = rest.broken or bool(rest.calls)
        for shown in self._citer.feed(rest.text):
            yield shown
        for shown in self._end(quiet=self._evaded):
            yield shown

    async def propose(self, tools: Sequence[Tool], proposal: Proposal) -> AsyncIterator[Generation]:
        """Ask for the next step; a model with tool calls of its own may answer instead, which is shown as it comes."""
        self._names = names = tuple(tool.name for tool in tools)
        screen = CallScreen(names)
        reply: list[str] = []
        async for piece in self._ask(Prompt(self._material(), "propose", tools)):
            if isinstance(piece, Generation):
                yield piece
            elif self._mode() == "json":
                reply.append(piece)
            else:
                for shown in self._citer.feed(screen.feed(piece) if self._mode() == "native" else piece):
                    yield shown
        rest = screen.finish()
        for shown in self._citer.feed(rest.text):
            yield shown
        if reply or self._mode() == "json":
            proposal.reading = read_reply("".join(reply), names)
            return
        calls = tuple(read_request(each) for each in self._requests) or rest.calls
        for shown in self._end(quiet=rest.broken or bool(calls)):
            yield shown
        proposal.reading = Reading(calls=calls, fault=UNREADABLE if rest.broken and not calls else "")
        proposal.spoke = self.spoke

    def reroute(self, step: Step) -> Iterator[Generation]:
        """Choose who is asked next, but nobody who just could not answer; `ModelFailed` when nobody can be."""
        request = self._request
        state: TurnState = {
            "message": request.message,
            "question": request.question,
            "history": request.history,
            "intent": request.intent,
            "passages": request.passages,
            "answerable": request.answerable,
            "evidence": request.evidence,
        }
        route = self._context.route(state, step, tuple(self.failures))
        if route.tier == FLOOR:
            raise ModelFailed(route.reason, code=NO_MODEL)
        if route.tier != self.route.tier and route.tier not in self._mute:
            self.route = route
            yield Generation(route=route)

    def _material(self) -> Material:
        return Material(self._request, self._passages, self._tag, tuple(self.observations), self.correction)

    async def _ask(self, prompt: Prompt) -> AsyncIterator[str | Generation]:
        """One call: text as the model says it, and everything else as it is to be shown."""
        self._model, self._finish, self._requests = None, "", ()
        said: list[str] = []
        guard, thoughts = RepetitionGuard(), ThoughtFilter()
        # What a tool has changed must not be asked for twice.
        pieces = self._context.complete(self.route.tier, prompt, retry=not self.observations)
        async with closing(pieces):
            async for piece in pieces:
                if piece.model is not None:
                    self._citer.begin(prompt.citable)
                    for told in self._introduce(piece):
                        yield told
                if piece.text:
                    said.append(piece.text)
                    if text := thoughts.feed(piece.text):
                        yield text
                    if guard.feed(piece.text):
                        self._finish = _REPEATS
                        yield self._estimate(prompt, "".join(said))
                        return
                elif piece.finish is not None:
                    if text := thoughts.finish():
                        yield text
                    yield self._note_end(piece)

    def _note_end(self, piece: CompletionPiece) -> Generation:
        self._finish, self._requests = piece.finish or "", piece.tool_requests
        usage = piece.usage or Usage()
        self.tokens += usage.prompt_tokens + usage.completion_tokens
        return Generation(usage=usage)

    def _estimate(self, prompt: Prompt, said: str) -> Generation:
        """What a call has used that is ended here, before its usage comes. What it costs only the ledger knows."""
        info = self._model
        if info is None:
            return Generation(usage=Usage(estimated=True))
        usage = Usage(prompt_tokens=prompt.count(info), completion_tokens=info.count(said), estimated=True)
        self.tokens += usage.prompt_tokens + usage.completion_tokens
        return Generation(usage=usage)

    def _introduce(self, piece: CompletionPiece) -> Iterator[Generation]:
        """Who speaks, when it is not who was meant to, and why."""
        self._model = info = piece.model
        for notice in piece.notices:
            yield Generation(notice=notice)
        if info is None or (info.tier, info.model) == (self.route.tier, self.route.model):
            return
        old = self.route
        if info.tier != old.tier:
            self._mute.add(old.tier)
        self._mute.discard(info.tier)
        reason = f"{old.reason}; {info.model} answered instead of {old.model}"
        self.route = Route(tier=info.tier, model=info.model, score=old.score, parts=old.parts, reason=reason)
        yield Generation(route=self.route)

    def _end(self, *, quiet: bool = False) -> Iterator[Generation]:
        """The end of what a model says; `quiet`: it goes on after the tools."""
        yield from self._citer.flush()
        notice = _CUT.get(self._finish, "")
        if notice and self.spoke and not quiet:
            yield Generation(notice=notice)

    def _mode(self) -> str:
        return self._model.tools if self._model is not None else "none"

    def _knows(self, url: str) -> bool:
        """Whether a URL occurs in what the model was given."""
        return (
            url in self._request.message
            or any(url in each.text or url in each.source for each in self._context.citable)
            or any(url in each.result.text for each in self.observations)
        )
