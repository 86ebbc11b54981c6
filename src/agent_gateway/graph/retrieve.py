"""retrieve: which passages answer the message, if any?"""

from __future__ import annotations

import asyncio

from agent_gateway.graph.followup import continues, in_context
from agent_gateway.interfaces import Context, SearchQuery, SearchResult, TurnState

#: The settings say how many passages a turn keeps; never more than this.
MOST_PASSAGES = 20
#: Talk needs no documents.
_TALK = "chat"


async def retrieve(state: TurnState, context: Context) -> TurnState:
    """Search the intent's collections and, beside it, what was asked before.

    A message that only makes sense after the previous one is searched for together with it. Passages are kept only if
    the search found the question answerable.
    """
    message, vector = state["message"], state["vector"]
    collections = context.collections(state["intent"])
    if state["intent"].category == _TALK and not state.get("history"):
        return {
            "question": message,
            "collections": collections,
            "passages": (),
            "answerable": False,
            "recollections": (),
        }
    recollections = asyncio.create_task(context.recall(vector))
    question, result = await _search(state, context, collections)
    return {
        "question": question,
        "collections": collections,
        "passages": result.passages if result.answerable else (),
        "answerable": result.answerable,
        "recollections": await recollections,
    }


async def _search(state: TurnState, context: Context, collections: tuple[str, ...]) -> tuple[str, SearchResult]:
    message, history = state["message"], state.get("history", ())
    alone = SearchQuery(text=message, collections=collections, limit=MOST_PASSAGES, vector=state["vector"])
    if not history:
        return message, await context.search(alone)
    dependent = continues(message)
    if not dependent:
        result = await context.search(alone)
        if result.answerable:
            return message, result
    question = in_context(message, history)
    joined = SearchQuery(
        text=question, collections=collections, limit=MOST_PASSAGES, vector=await context.encode(question)
    )
    return question, await context.search(joined)
