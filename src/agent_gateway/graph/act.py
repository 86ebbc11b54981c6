"""act: write the answer."""

from __future__ import annotations

from agent_gateway.completion import Usage
from agent_gateway.events import Token
from agent_gateway.graph.writing.closing import closing
from agent_gateway.interfaces import Context, Generation, GenerationRequest, TurnState
from agent_gateway.messages import Citation, ToolUse, TurnUsage
from agent_gateway.tool import ToolCall


async def act(state: TurnState, context: Context) -> TurnState:
    """Have the routed model answer from the passages, passing its words and deeds on as they come."""
    request = GenerationRequest(
        persona=context.persona,
        abilities=context.abilities,
        question=state.get("question", state["message"]),
        message=state["message"],
        intent=state["intent"],
        passages=state["passages"],
        answerable=state["answerable"],
        evidence=state.get("evidence", 0.0),
        collections=state.get("collections", ()),
        history=state.get("history", ()),
    )
    outcome = _Outcome(state, context)
    async with closing(context.generate(request, state["route"])) as pieces:
        async for piece in pieces:
            await outcome.take(piece)
    return outcome.update()


class _Outcome:
    """What the pieces come to; each goes onto the stream as it is taken."""

    def __init__(self, state: TurnState, context: Context) -> None:
        self._context = context
        self._words: list[str] = []
        self._citations: list[Citation] = []
        self._route = self._given = state["route"]
        self._calls: dict[str, ToolCall] = {}
        self._uses: list[ToolUse] = []
        self._usages: list[Usage] = []
        self._notices: list[str] = [self._route.notice] if self._route.notice else []

    async def take(self, piece: Generation) -> None:
        """Show a piece and keep it. Text is by far the most frequent one."""
        if piece.text:
            self._words.append(piece.text)
            await self._context.emit(Token(text=piece.text))
            return
        if piece.citation is not None:
            self._citations.append(piece.citation)
            await self._context.emit(piece.citation)
        elif piece.route is not None:
            self._route = piece.route
            await self._context.emit(piece.route)
        elif piece.usage is not None:
            self._usages.append(piece.usage)
        elif piece.notice:
            self._notices.append(piece.notice)
        else:
            await self._take_tool(piece)

    async def _take_tool(self, piece: Generation) -> None:
        if piece.call is not None:
            self._calls[piece.call.id] = piece.call
            await self._context.emit(piece.call)
        elif piece.result is not None:
            result = piece.result
            call = self._calls.get(result.call_id)
            arguments = call.arguments if call is not None else {}
            self._uses.append(
                ToolUse(id=result.call_id, name=result.name, arguments=arguments, status=result.status, ms=result.ms)
            )
            await self._context.emit(result)

    def update(self) -> TurnState:
        """What act adds to the state."""
        update: TurnState = {"response": "".join(self._words), "citations": tuple(self._citations)}
        if self._route is not self._given:
            update["route"] = self._route
        if self._uses:
            update["tool_calls"] = tuple(self._uses)
        if self._notices:
            update["notices"] = tuple(dict.fromkeys(self._notices))
        if self._usages:
            update["usage"] = TurnUsage(
                prompt_tokens=sum(each.prompt_tokens for each in self._usages),
                completion_tokens=sum(each.completion_tokens for each in self._usages),
                cost=round(sum(each.cost for each in self._usages), 8),
                estimated=any(each.estimated for each in self._usages),
            )
        return update
