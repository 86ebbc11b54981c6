"""The bounded tool loop: propose -> gate -> execute -> observe, until there is an answer or a limit is reached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import msgspec

from agent_gateway.errors import ModelFailed
from agent_gateway.graph.faculties import ToolLimits
from agent_gateway.graph.writing.memory import LoopMemory
from agent_gateway.graph.writing.prompt import Observation, marks_in
from agent_gateway.graph.writing.rules import TALK
from agent_gateway.graph.writing.speaking import Proposal, Speaker
from agent_gateway.graph.writing.tool_protocol import ProposedCall
from agent_gateway.interfaces import Context, Failure, Generation, GenerationRequest, PendingCall
from agent_gateway.tool import Tool, ToolCall, ToolResult

#: The code of the error when the models said nothing, twice.
EMPTY = "empty_answer"
#: So many calls of one proposal are made.
MOST_CALLS = 4
#: The share of the turn's time that tools may take at most; the answer needs the rest.
_SHARE = 0.6
#: What retrieve has just done need not be proposed again: for a look-up, or one inference from what was found.
_LOOKED_UP = "knowledge_search"
_SIMPLE_DEPTH = 1
_TWICE = 2


class ToolLoop:
    """The loop of one answer. Whatever a model does, it ends: in an answer, or in `ModelFailed`."""

    def __init__(self, context: Context, request: GenerationRequest, speaker: Speaker, limits: ToolLimits) -> None:
        self._context = context
        self._request = request
        self._speaker = speaker
        self._limits = limits
        self._begun = asyncio.get_running_loop().time()
        self._steps = 0
        self._calls = 0
        self._done: dict[tuple[str, bytes], Observation] = {}
        #: In a row: calls that could not be made, and calls that had been made before.
        self._bad = 0
        self._repeated = 0
        #: Calls that were proposed and not made yet, and whether the loop stands still before one.
        self._queue: list[ProposedCall] = []
        self._paused = False

    async def run(self) -> AsyncIterator[Generation]:
        """The answer, with whatever tools it needs."""
        async for piece in self._loop(self._worthwhile_tools()):
            yield piece

    async def go_on(self, memory: LoopMemory, result: ToolResult) -> AsyncIterator[Generation]:
        """The rest of an answer that stood still before a call, which came to this result."""
        self._restore(memory)
        call = memory.waiting
        self._done[_key(call)] = Observation(call, result, self._found(result.text, len(self._context.citable)))
        self._observe(call, result, repeated=False)
        yield Generation(result=result)
        async for piece in self._work_off():
            yield piece
        if not self._paused:
            async for piece in self._loop(self._next_tools()):
                yield piece

    async def _loop(self, tools: Sequence[Tool]) -> AsyncIterator[Generation]:
        while tools and not self._spent():
            self._steps += 1
            proposal = Proposal()
            async for piece in self._speaker.propose(tools, proposal):
                yield piece
            if proposal.spoke and not proposal.reading.goes_on:
                return
            async for piece in self._follow(proposal):
                yield piece
            if self._paused:
                return
            tools = self._next_tools() if proposal.reading.goes_on else ()
        async for piece in self._conclude():
            yield piece

    async def _follow(self, proposal: Proposal) -> AsyncIterator[Generation]:
        """Do what was proposed, and choose who is asked next."""
        reading = proposal.reading
        self._speaker.correction = reading.fault
        if not reading.goes_on:
            for told in () if reading.answers else self._note_empty():
                yield told
            return
        self._bad += bool(reading.fault)
        self._queue = list(reading.calls[:MOST_CALLS])
        async for piece in self._work_off():
            yield piece

    async def _work_off(self) -> AsyncIterator[Generation]:
        """Make the calls that were proposed, as far as no human must decide first."""
        while self._queue:
            async for piece in self._take(self._queue.pop(0)):
                yield piece
            if self._paused:
                return
        for told in self._choose_next():
            yield told

    def _next_tools(self) -> Sequence[Tool]:
        """The tools for the next proposal; none when there is to be an answer now."""
        if max(self._bad, self._repeated) >= _TWICE:
            return ()
        return self._context.tools(self._request.intent)

    def _worthwhile_tools(self) -> Sequence[Tool]:
        """The tools that are offered at first; none when looking things up once more is all they could do."""
        request = self._request
        if request.intent.category == TALK:
            return ()
        tools = self._context.tools(request.intent)
        simple = request.answerable and request.intent.reasoning_depth <= _SIMPLE_DEPTH
        return () if simple and all(tool.name == _LOOKED_UP for tool in tools) else tools

    def _spent(self) -> bool:
        """Whether a limit is reached."""
        now = asyncio.get_running_loop().time()
        seconds = min(self._limits.seconds, (self._context.deadline - self._begun) * _SHARE)
        used_up = self._speaker.tokens >= self._limits.tokens
        return self._steps >= self._limits.steps or used_up or now - self._begun >= seconds

    async def _take(self, proposed: ProposedCall) -> AsyncIterator[Generation]:
        """One call from gate to observation, shown as it happens."""
        self._calls += 1
        call = ToolCall(id=f"call-{self._calls}", name=proposed.name, arguments=proposed.arguments or {})
        yield Generation(call=call)
        gated = self._gate(call, proposed)
        result = gated if gated is not None else await self._execute(call)
        if result.status == "waiting":
            self._paused = True
            pending = PendingCall(call=call, approval=result.approval, automatic=self._automatic())
            yield Generation(pause=pending, memory=self._remember(call))
            return
        self._observe(call, result, repeated=gated is not None and not gated.mendable)
        yield Generation(result=result)

    def _gate(self, call: ToolCall, proposed: ProposedCall) -> ToolResult | None:
        """What is said of a call that is not worth making; the executor has the gate that decides what is allowed."""
        if proposed.arguments is None:
            text = f"The arguments of '{call.name}' are no JSON object that can be read. Give them again, and whole."
            return ToolResult(call_id=call.id, name=call.name, status="failed", text=text, mendable=True)
        done = self._done.get(_key(call))
        if done is None:
            return None
        earlier = done.result
        text = (
            f"This was called already with the same arguments, and is not called again. The result was:\n{earlier.text}"
        )
        repeated = msgspec.structs.replace(earlier, call_id=call.id, text=text, ms=0.0)
        return repeated if earlier.mendable else msgspec.structs.replace(repeated, status="refused")

    async def _execute(self, call: ToolCall) -> ToolResult:
        before = len(self._context.citable)
        result = await self._context.attempt(call, automatic=self._automatic())
        if result.status != "waiting":
            self._done[_key(call)] = Observation(call, result, self._found(result.text, before))
        return result

    def _automatic(self) -> bool:
        """Whether the model chose the call with nothing but the user's own words before it."""
        return not (self._context.citable or self._speaker.observations or self._request.history)

    def _remember(self, waiting: ToolCall) -> LoopMemory:
        speaker = self._speaker
        return LoopMemory(
            waiting=waiting,
            queue=tuple(self._queue),
            observations=tuple(speaker.observations),
            passages=tuple(self._context.citable),
            route=speaker.route,
            failures=tuple(speaker.failures),
            tokens=speaker.tokens,
            steps=self._steps,
            calls=self._calls,
            bad=self._bad,
            repeated=self._repeated,
        )

    def _restore(self, memory: LoopMemory) -> None:
        self._speaker.restore(memory.observations, memory.failures, memory.tokens)
        self._queue = list(memory.queue)
        self._steps, self._calls = memory.steps, memory.calls
        self._bad, self._repeated = memory.bad, memory.repeated
        for each in memory.observations:
            # The first one with these arguments was made, later ones were only told of it.
            self._done.setdefault(_key(each.call), each)

    def _found(self, text: str, before: int) -> frozenset[int]:
        """The passages that a result shows: those its tool added, and known ones by number and title.

        A number in brackets alone is none: a log has many.
        """
        passages = self._context.citable
        numbers = [number for number in marks_in(text) if 1 <= number <= len(passages)]
        return frozenset(
            number for number in numbers if number > before or f"[{number}] {passages[number - 1].title}" in text
        )

    def _observe(self, call: ToolCall, result: ToolResult, *, repeated: bool) -> None:
        """Keep a result for the next call of the model, and count what goes wrong."""
        done = self._done.get(_key(call))
        self._speaker.observations.append(Observation(call, result, done.citable if done else frozenset()))
        self._bad = self._bad + 1 if result.mendable else 0
        self._repeated = self._repeated + 1 if repeated else 0

    def _choose_next(self) -> Iterator[Generation]:
        """Choose who proposes the next step: another tier, once, when this one cannot make a call that fits."""
        before = self._speaker.route
        failed = self._bad >= _TWICE and "bad_tool_call" not in self._speaker.failures
        if failed:
            self._speaker.failures.append("bad_tool_call")
        elif max(self._bad, self._repeated) >= _TWICE or self._spent():
            return
        yield from self._speaker.reroute("tool")
        if failed and self._speaker.route.tier != before.tier:
            self._bad = 0
            yield from self._tell_change(before.tier, "did not call tools as it should")

    def _note_empty(self) -> Iterator[Generation]:
        """A model said nothing; another may, or the same one once more. `ModelFailed` the second time."""
        failure: Failure = "empty_answer"
        if failure in self._speaker.failures:
            raise ModelFailed("the model gave no answer, twice", code=EMPTY)
        self._speaker.failures.append(failure)
        before = self._speaker.route.tier
        yield from self._speaker.reroute("conclude" if self._speaker.observations else "plan")
        if self._speaker.route.tier != before:
            yield from self._tell_change(before, "gave no answer")

    def _tell_change(self, tier: str, why: str) -> Iterator[Generation]:
        yield Generation(notice=f"The model of the {tier} tier {why}, so the {self._speaker.route.tier} tier goes on.")

    async def _conclude(self) -> AsyncIterator[Generation]:
        """The answer from what there is, without tools."""
        self._speaker.correction = ""
        if self._speaker.observations:
            for told in self._speaker.reroute("conclude"):
                yield told
        while True:
            async for piece in self._speaker.speak("conclude" if self._speaker.observations else "answer"):
                yield piece
            if self._speaker.answered:
                return
            for told in self._note_empty():
                yield told


def _key(call: ToolCall) -> tuple[str, bytes]:
    """The same for calls with the same name and arguments, in whatever order these are written."""
    return call.name, msgspec.json.encode(call.arguments, order="deterministic")
