"""Plain requests: carried out by the tools that recognize them, without any model."""

from __future__ import annotations

from collections.abc import AsyncIterator

from agent_gateway.graph.draft import PlainMemory
from agent_gateway.graph.plain.answer import tell_choice, tell_result
from agent_gateway.graph.plain.choice import Choice, choose
from agent_gateway.graph.plain.slots import read_plain
from agent_gateway.graph.router import FLOOR
from agent_gateway.interfaces import Context, Generation, PendingCall, TurnState
from agent_gateway.tool import ToolCall, ToolResult

_TALK = "chat"


def recognize(state: TurnState, context: Context) -> Choice | None:
    """What the message asks for in so many words; None when nothing is to be carried out without a model.

    A tool's own language, word for word, needs no model; anything else is left to one that is up.
    """
    tools = [each for each in context.own_tools if each.recognize is not None]
    if not tools:
        return None
    category = state["intent"].category
    choice = choose(read_plain(state["message"], category, context.clusters.names), tools)
    if choice.command:
        return choice
    if state["route"].tier != FLOOR or (category == _TALK and choice.outcome != "call"):
        return None
    return choice


def find_plain(state: TurnState, context: Context) -> tuple[AsyncIterator[Generation] | None, str]:
    """How a plain request is answered, if it is one; and what to add to an answer that found nothing in documents."""
    choice = recognize(state, context)
    if choice is None:
        return None, ""
    if choice.outcome == "call":
        first = ToolCall(id="plain-1", name=choice.tool, arguments=choice.arguments)
        return _carry_out(context, first, PlainMemory(meaning=choice.meaning, then=choice.then)), ""
    if choice.outcome == "missing" or (choice.outcome == "unsure" and not state["answerable"]):
        return _say(tell_choice(choice)), ""
    return None, "" if state["answerable"] else tell_choice(choice)


async def go_on_plainly(
    context: Context, memory: PlainMemory, waited: ToolCall, result: ToolResult
) -> AsyncIterator[Generation]:
    """The rest of a plain request that stood still before a call, which came to this result."""
    yield Generation(result=result)
    yield Generation("\n\n" + tell_result(waited, result))
    async for piece in _follow(context, memory, waited, result):
        yield piece


async def _carry_out(context: Context, call: ToolCall, memory: PlainMemory) -> AsyncIterator[Generation]:
    yield Generation(call=call)
    # The user's own words, and no model between them and the call.
    result = await context.attempt(call, automatic=True)
    if result.status == "waiting":
        if result.approval:
            yield Generation(tell_result(call, result, await context.approval(call.id)))
        yield Generation(pause=PendingCall(call=call, approval=result.approval, automatic=True), memory=memory)
        return
    yield Generation(result=result)
    yield Generation(tell_result(call, result))
    async for piece in _follow(context, memory, call, result):
        yield piece


async def _follow(
    context: Context, memory: PlainMemory, done: ToolCall, result: ToolResult
) -> AsyncIterator[Generation]:
    """The calls that come after one that went well."""
    if result.status != "ok" or not memory.then:
        return
    (name, arguments), rest = memory.then[0], memory.then[1:]
    call = ToolCall(id=_after(done.id), name=name, arguments=arguments)
    yield Generation("\n\n")
    async for piece in _carry_out(context, call, PlainMemory(meaning=memory.meaning, then=rest)):
        yield piece


def _after(call_id: str) -> str:
    return f"plain-{int(call_id.removeprefix('plain-')) + 1}"


async def _say(text: str) -> AsyncIterator[Generation]:
    yield Generation(text)


async def add_to(pieces: AsyncIterator[Generation], text: str) -> AsyncIterator[Generation]:
    """An answer, and a last paragraph."""
    async for piece in pieces:
        yield piece
    yield Generation(f"\n\n{text}")
