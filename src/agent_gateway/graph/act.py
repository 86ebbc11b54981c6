"""act: write the answer, and do what was asked for; stand still before whatever a human must decide on."""

from __future__ import annotations

from collections.abc import AsyncIterator

from agent_gateway.completion import Usage
from agent_gateway.events import Token
from agent_gateway.graph.draft import Draft, PlainMemory
from agent_gateway.graph.plain_request import add_to, find_plain, go_on_plainly
from agent_gateway.graph.writing.closing import closing
from agent_gateway.graph.writing.memory import LoopMemory
from agent_gateway.interfaces import Context, Generation, GenerationRequest, PendingCall, TurnState
from agent_gateway.messages import Citation, Exchange, ToolUse, TurnUsage
from agent_gateway.redaction import redact
from agent_gateway.tool import ToolCall


async def act(state: TurnState, context: Context) -> TurnState:
    """Have the routed model answer from the passages, or carry a plain request out, passing on all that happens."""
    draft: Draft | None = state.get("draft")
    outcome = _Outcome(state, context, draft)
    pieces = _begin(state, context) if draft is None else _go_on(state, context, draft)
    async with closing(pieces) as stream:
        async for piece in stream:
            await outcome.take(piece)
    return outcome.update()


def _begin(state: TurnState, context: Context) -> AsyncIterator[Generation]:
    plain, hint = find_plain(state, context)
    if plain is not None:
        return plain
    pieces = context.generate(_request(state, context), state["route"])
    return add_to(pieces, hint) if hint else pieces


def _go_on(state: TurnState, context: Context, draft: Draft) -> AsyncIterator[Generation]:
    pending, result = state["pending"], state["result"]
    if pending is None or result is None:
        raise ValueError("an answer that stood still needs the call it stood before, and its result")
    if draft.plain is not None:
        return go_on_plainly(context, draft.plain, pending.call, result)
    return context.generate(_request(state, context), draft.route, draft.memory, result)


def _request(state: TurnState, context: Context) -> GenerationRequest:
    return GenerationRequest(
        persona=context.persona,
        abilities=context.abilities,
        question=redact(state.get("question", state["message"])),
        message=redact(state["message"]),
        intent=state["intent"],
        passages=state["passages"],
        answerable=state["answerable"],
        evidence=state.get("evidence", 0.0),
        collections=state.get("collections", ()),
        history=tuple(_hide(each) for each in state.get("history", ())),
    )


def _hide(exchange: Exchange) -> Exchange:
    """An earlier exchange, without the secrets that somebody wrote into it."""
    message, response = redact(exchange.message), redact(exchange.response)
    return Exchange(message=message, response=response, tier=exchange.tier)


class _Outcome:
    """What the pieces come to, those before a standstill too; each goes onto the stream as it is taken."""

    def __init__(self, state: TurnState, context: Context, draft: Draft | None) -> None:
        self._context = context
        self._given = state["route"]
        self._route = draft.route if draft else state["route"]
        self._words: list[str] = [draft.words] if draft else []
        self._citations: list[Citation] = list(draft.citations) if draft else []
        self._calls: dict[str, ToolCall] = dict(draft.calls) if draft else {}
        self._uses: list[ToolUse] = list(draft.uses) if draft else []
        self._usages: list[Usage] = list(draft.usages) if draft else []
        opening = [self._route.notice] if self._route.notice else []
        self._notices: list[str] = list(draft.notices) if draft else opening
        self._pending: PendingCall | None = None
        self._memory: LoopMemory | PlainMemory | None = None

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
        elif piece.pause is not None:
            await self._stand_still(piece.pause, piece.memory)
        else:
            await self._take_tool(piece)

    async def _stand_still(self, pending: PendingCall, memory: LoopMemory | PlainMemory) -> None:
        self._pending, self._memory = pending, memory
        approval = await self._context.approval(pending.call.id) if pending.approval else None
        if approval is not None:
            await self._context.emit(approval)

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
        if self._pending is not None:
            update["draft"] = self._draft()
        update["pending"] = self._pending
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

    def _draft(self) -> Draft:
        memory = self._memory
        return Draft(
            words="".join(self._words),
            citations=tuple(self._citations),
            route=self._route,
            calls=self._calls,
            uses=tuple(self._uses),
            usages=tuple(self._usages),
            notices=tuple(self._notices),
            memory=memory if isinstance(memory, LoopMemory) else None,
            plain=memory if isinstance(memory, PlainMemory) else None,
        )
