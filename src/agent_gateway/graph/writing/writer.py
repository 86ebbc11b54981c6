"""Has a language model write the answer from the passages, and the floor when no model can."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from agent_gateway.errors import ModelFailed
from agent_gateway.graph.faculties import ToolLimits
from agent_gateway.graph.router import FLOOR
from agent_gateway.graph.writing.speaking import NO_MODEL, Speaker
from agent_gateway.graph.writing.tool_loop import EMPTY, ToolLoop
from agent_gateway.interfaces import Context, Generation, GenerationRequest, Model
from agent_gateway.messages import Route

_FLOOR_ANSWERS = "this answer is made of sentences from the documents"


class ModelWriter:
    """Writes one answer; implements `Model` for a given route."""

    def __init__(self, context: Context, floor: Model, limits: ToolLimits) -> None:
        self._context = context
        self._floor = floor
        self._limits = limits

    async def generate(self, request: GenerationRequest, route: Route) -> AsyncIterator[Generation]:
        """Stream the answer; `ModelFailed` when a model fails in the middle of what it says."""
        speaker = Speaker(self._context, request, route)
        said = False
        try:
            async for piece in ToolLoop(self._context, request, speaker, self._limits).run():
                said = said or bool(piece.text)
                yield piece
        except ModelFailed as error:
            if error.code not in {NO_MODEL, EMPTY}:
                raise
            failure = error
        else:
            return
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
