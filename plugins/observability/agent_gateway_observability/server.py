"""The tools over MCP: streamable HTTP at /mcp, and /livez for whoever watches the process."""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

import agent_gateway as ag

from .tool_wire import pack_error

if TYPE_CHECKING:
    from mcp.server import Server
    from mcp_types import CallToolResult

NAME = "agent-gateway-observability"
_Message: TypeAlias = MutableMapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[_Message]]
_Send: TypeAlias = Callable[[_Message], Awaitable[None]]
App: TypeAlias = Callable[[_Message, _Receive, _Send], Awaitable[None]]


def make_app(tools: Sequence[ag.Tool], token: str, host: str) -> App:
    """The ASGI application. Whoever calls must show the token, if there is one; `host` is where it will listen."""
    served = make_server(tools).streamable_http_app(stateless_http=True, json_response=True, host=host)

    async def app(scope: _Message, receive: _Receive, send: _Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/livez":
            await _answer(send, 200, b'{"status": "ok"}')
        elif scope["type"] == "http" and not _may_enter(scope, token):
            await _answer(send, 401, b'{"error": "a bearer token is needed"}')
        elif scope["type"] == "http" and scope["method"] != "POST":
            # Streams that the server begins are not needed: each call is one request and one answer.
            await _answer(send, 405, b'{"error": "only POST is served"}')
        else:
            await served(scope, receive, send)

    return app


def make_server(tools: Sequence[ag.Tool]) -> Server[Any]:
    """The MCP server, with the schemas as the gateway's own tools have them."""
    import mcp_types as types  # noqa: PLC0415 - plugins are also loaded to be listed, and this takes a while
    from mcp.server import Server  # noqa: PLC0415 - as above

    known = {each.name: each for each in tools}
    listed = [
        types.Tool(
            name=each.name,
            description=each.description,
            input_schema=dict(each.parameters),
            annotations=types.ToolAnnotations(read_only_hint=True),
        )
        for each in tools
    ]

    async def list_tools(context: Any, params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=listed)

    async def call_tool(context: Any, params: types.CallToolRequestParams) -> CallToolResult:
        try:
            if params.name not in known:
                raise ag.NotFound(f"there is no tool '{params.name[:80]}'")
            text = await run_tool(known[params.name], params.arguments or {})
        except ag.GatewayError as error:
            told = types.TextContent(text=str(error))
            return types.CallToolResult(content=[told], structured_content=pack_error(error), is_error=True)
        return types.CallToolResult(content=[types.TextContent(text=text)])

    return Server(NAME, version=ag.__version__, on_list_tools=list_tools, on_call_tool=call_tool)


async def run_tool(tool: ag.Tool, given: Mapping[str, Any]) -> str:
    """What a tool answers; `GatewayError` when the arguments do not fit, or it does not succeed in its time."""
    try:
        arguments = msgspec.convert(dict(given), tool.arguments)
    except msgspec.ValidationError as error:
        raise ag.InvalidInput(f"the arguments of '{tool.name}' do not fit: {error}") from None
    try:
        async with asyncio.timeout(tool.timeout_seconds):
            return str(await tool.run(**msgspec.structs.asdict(arguments)))
    except TimeoutError:
        raise ag.Unavailable(f"'{tool.name}' took longer than {tool.timeout_seconds:g} s") from None


def _may_enter(scope: _Message, token: str) -> bool:
    if not token:
        return True
    shown = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    found = re.fullmatch(rb"[Bb]earer +(\S+)", shown)
    return found is not None and hmac.compare_digest(found[1], token.encode())


async def _answer(send: _Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += {401: [(b"www-authenticate", b"Bearer")], 405: [(b"allow", b"POST")]}.get(status, [])
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
