"""The tools that come with the gateway, made like anybody's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from agent_gateway.interfaces import Context, SearchQuery
from agent_gateway.tool import ASK_HUMAN, Preview, Verdict, Warrant, tool

_MOST_PASSAGES = 10
_CLOSEST = 3


async def search_knowledge(
    query: Annotated[str, msgspec.Meta(description="What to look for: a question, or its few telling words.")],
    context: Context,
    limit: Annotated[int, msgspec.Meta(description="How many passages at most; the gateway may give fewer.")] = 5,
) -> str:
    """Search the documents. Returns numbered passages, which may be cited by their number.

    Use other words than the question's when its own passages do not answer it.
    """
    wanted = SearchQuery(
        text=query, collections=context.collections(), limit=min(max(limit, 1), _MOST_PASSAGES), vector=None
    )
    found = await context.search(wanted)
    if not found.answerable:
        titles = ", ".join(dict.fromkeys(f"{each.title} ({each.source})" for each in found.passages[:_CLOSEST]))
        return "No document answers this." + (f" The closest pages, which do not: {titles}." if titles else "")
    numbers = context.cite(found.passages)
    return "\n\n".join(
        f"[{number}] {each.title} ({each.source})\n{each.text}"
        for number, each in zip(numbers, found.passages, strict=True)
    )


knowledge_search = tool(search_knowledge, name="knowledge_search", output_limit=8000)


async def ask_a_human(
    question: Annotated[str, msgspec.Meta(description="One question, with all that is needed to answer it.")],
    warrant: Warrant,
) -> str:
    """Ask a human what only a human can decide or know. The answer comes later, perhaps much later."""
    del question
    return f"{warrant.approver or 'A human'} answered: {warrant.comment or 'yes'}"


async def _preview_question(question: str) -> Preview:
    """What a human is shown: the question itself."""
    return Preview(summary=question)


def _always_ask(arguments: Mapping[str, Any]) -> Verdict:
    del arguments
    return Verdict(decision="ask", reason="The answer is a human's.")


ask_human = tool(
    ask_a_human, name=ASK_HUMAN, judge=_always_ask, preview=_preview_question, timeout_seconds=10, output_limit=4000
)
