"""Has a language model write the answer from the passages, and the floor when no model can."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from agent_gateway.errors import ModelFailed
from agent_gateway.graph.faculties import ToolLimits
from agent_gateway.graph.plain.answer import tell_result
from agent_gateway.graph.router import FLOOR
from agent_gateway.graph.writing.memory import LoopMemory
from agent_gateway.graph.writing.speaking import NO_MODEL, Speaker
from agent_gateway.graph.writing.tool_loop import EMPTY, ToolLoop
from agent_gateway.interfaces import Context, Generation, GenerationRequest, Model
from agent_gateway.messages import Route
from agent_gateway.tool import ToolResult

_FLOOR_ANSWERS = "this answer is made of sentences from the documents"


class ModelWriter:
    """Writes one answer; implements `Model` for a given route."""

    def __init__(self, context: Context, floor: Model, limits: ToolLimits) -> None:
        self._context = context
        self._floor = floor
        self._limits = limits

    async def generate(
        self,
        request: GenerationRequest,
        route: Route,
        memory: LoopMemory | None = None,
        result: ToolResult | None = None,
    ) -> AsyncIterator[Generation]:
        """Stream the answer, or the rest of one that stood still before a call with this result.

        `ModelFailed` when a model fails in the middle of what it says.
        """
        if memory is not None:
            self._context.cite(memory.passages)
        speaker = Speaker(self._context, request, route if memory is None else memory.route)
        loop = ToolLoop(self._context, request, speaker, self._limits)
        said = False
        try:
            async for piece in loop.run() if memory is None or result is None else loop.go_on(memory, result):
                said = said or bool(piece.text)
                yield piece
        except ModelFailed as error:
            if error.code not in {NO_MODEL, EMPTY}:
                raise
            failure = error
        else:
            return
        if memory is not None and result is not None:
            # What was done must be told, whoever is left to tell it.
            yield Generation("\n\n" * said + tell_result(memory.waiting, result))
            said = True
        async for piece in self._fall(request, speaker.route, failure):
            if said and piece.text:
                said = False
                yield Generation("\n\n")
            yield piece

    async def _fall(self, request: GenerationRequest, route: Route, failure: ModelFailed) -> AsyncIterator[Generation]:
        """The floor's answer, from whatever was found by now."""
        reason = f"{failure.detail}, so {_FLOOR_ANSWERS}"
        yield Generation(
            route=Route(
                tier=FLOOR, model=FLOOR, score=route.score, parts=route.parts, reason=f"{route.reason}; {reason}"
            )
        )
        yield Generation(notice=f"{reason[:1].upper()}{reason[1:]}.")
        passages = tuple(self._context.citable)
        found = msgspec.structs.replace(
            request, passages=passages, answerable=request.answerable or len(passages) > len(request.passages)
        )
        async for piece in self._floor.generate(found):
            yield piece
