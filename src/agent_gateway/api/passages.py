"""Search: one collection, passages with their sources, and whether they answer the query."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from litestar import post

from agent_gateway.api.documentation import JSON_ERRORS, READERS, Endpoint, described
from agent_gateway.api.replies import Sendable, reply
from agent_gateway.api.requests import Call, body_of, edge_of, persona_of
from agent_gateway.api.shapes import SearchHit, SearchReply, SearchRequest
from agent_gateway.errors import NotFound
from agent_gateway.interfaces import SearchQuery

_DECODER = msgspec.json.Decoder(SearchRequest)
_SEARCH = Endpoint(
    summary="Search a collection",
    roles=READERS,
    body=SearchRequest,
    reply=SearchReply,
    errors=(*JSON_ERRORS, 404),
)


@post("/v1/search", status_code=200, opt=described(post=_SEARCH))
async def search(request: Call) -> Sendable:
    """Find passages of a collection this persona may see, best first."""
    return await search_in(request, edge_of(request).visible_collections(persona_of(request).id))


async def search_in(request: Call, visible: Collection[str]) -> Sendable:
    """Answer a search request over the collections that are visible to the caller."""
    edge = edge_of(request)
    body = await body_of(request, _DECODER)
    if body.collection not in visible:
        listed = ", ".join(sorted(visible)) or "none yet"
        raise NotFound("There is no such collection.", code="collection_not_found", hint=f"there are: {listed}")
    found = await edge.knowledge.search(
        SearchQuery(text=body.query, collections=(body.collection,), limit=int(body.limit))
    )
    hits = tuple(SearchHit.of(passage) for passage in found.passages)
    return reply(SearchReply(passages=hits, answerable=found.answerable))
