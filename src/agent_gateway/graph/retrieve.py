"""retrieve: which passages answer the message, if any?"""

from __future__ import annotations

import asyncio

from agent_gateway.graph.followup import asks_on, continues, in_context
from agent_gateway.interfaces import Context, SearchQuery, SearchResult, TurnState, Vector

#: The settings say how many passages a turn keeps; never more than this.
MOST_PASSAGES = 20
#: Talk needs no documents; within a conversation only if it is surely talk.
_TALK = "chat"
_SURE = 0.9


async def retrieve(state: TurnState, context: Context) -> TurnState:
    """Search the intent's collections and, beside it, what was asked before.

    A message that only makes sense after the previous one is searched for together with it. Passages are kept only if
    the search found the question answerable.
    """
    message = state["message"]
    collections = context.collections(state["intent"])
    if _is_talk(state):
        return {
            "question": message,
            "collections": collections,
            "passages": (),
            "answerable": False,
            "evidence": 0.0,
            "recollections": (),
        }
    # A persona's own classify need not have encoded the message.
    vector = state["vector"] if "vector" in state else await context.encode(message)
    (question, result), recollections = await asyncio.gather(
        _search(state, context, collections, vector), context.recall(vector)
    )
    return {
        "question": question,
        "collections": collections,
        "passages": result.passages if result.answerable else (),
        "answerable": result.answerable,
        "evidence": result.score,
        "recollections": recollections,
    }


def _is_talk(state: TurnState) -> bool:
    """Whether nothing is to be looked up; "thanks!" after an answer is talk, "tell me more" is not."""
    intent = state["intent"]
    if intent.category != _TALK:
        return False
    return not state.get("history") or (intent.confidence >= _SURE and not asks_on(state["message"]))


async def _search(
    state: TurnState, context: Context, collections: tuple[str, ...], vector: Vector
) -> tuple[str, SearchResult]:
    """What was searched for, and the result. A message that stands alone is never joined with the old topic.

    Joined, almost anything is answered by the page that answered before.
    """
    message, history = state["message"], state.get("history", ())
    question = message
    if history and continues(message):
        question = in_context(message, history)
        vector = await context.encode(question)
    query = SearchQuery(text=question, collections=collections, limit=MOST_PASSAGES, vector=vector)
    return question, await context.search(query)
