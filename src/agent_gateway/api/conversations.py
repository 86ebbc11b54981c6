"""`/v1/conversations`: the ordered turns of one owner with one persona."""

from __future__ import annotations

import msgspec
from litestar import HttpMethod, get, route
from litestar.params import FromPath

from agent_gateway.api.documentation import OPERATORS, READERS, Endpoint, described
from agent_gateway.api.identifiers import check_id
from agent_gateway.api.replies import Reply, Sendable, reply
from agent_gateway.api.requests import Call, edge_of, owner_of, persona_of
from agent_gateway.api.shapes import ConversationPage, PageQuery
from agent_gateway.errors import InvalidInput
from agent_gateway.messages import Conversation

_LIST = Endpoint(summary="List conversations", roles=READERS, query=PageQuery, reply=ConversationPage, errors=(400,))
_READ = Endpoint(summary="Read a conversation", roles=READERS, reply=Conversation, errors=(404,))
_DELETE = Endpoint(summary="Forget a conversation", roles=OPERATORS, status=204, errors=(404, 409))


@get("/v1/conversations", opt=described(get=_LIST))
async def list_conversations(request: Call) -> Sendable:
    """List conversations, newest first, a page at a time."""
    try:
        page = msgspec.convert(dict(request.query_params), PageQuery, strict=False)
    except msgspec.ValidationError as exc:
        raise InvalidInput(f"{str(exc)[:300]}.") from None
    limit = int(page.limit)
    found = await edge_of(request).runs.conversations(
        persona_of(request).id, owner_of(request), limit, page.before or ""
    )
    next_before = found[-1].updated_at if len(found) == limit else None
    return reply(ConversationPage(conversations=tuple(found), next_before=next_before))


# One handler for both methods: of two handlers on one path, litestar answers OPTIONS for the first alone.
@route(
    "/v1/conversations/{conversation_id:str}",
    http_method=[HttpMethod.GET, HttpMethod.DELETE],
    status_code=200,
    opt=described(get=_READ, delete=_DELETE),
)
async def use_conversation(request: Call, conversation_id: FromPath[str]) -> Sendable:
    """Return a conversation with all its turns, or forget it and everything that was remembered of it."""
    runs, name = edge_of(request).runs, check_id(conversation_id, "conversation")
    if request.method == "DELETE":
        await runs.delete(name, persona_of(request).id, owner_of(request))
        return NoContent()
    return reply(await runs.conversation(name, persona_of(request).id, owner_of(request)))


class NoContent(Reply):
    """A 204, which has no body and says nothing about one."""

    def __init__(self) -> None:
        super().__init__(b"", status=204)
        self.headers = ()
