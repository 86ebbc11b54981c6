"""The tools that come with the gateway, made like anybody's."""

from __future__ import annotations

from typing import Annotated

import msgspec

from agent_gateway.interfaces import Context, SearchQuery
from agent_gateway.tool import tool

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
