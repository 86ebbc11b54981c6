"""MCP servers for tests, by the SDK: one whose tools can be changed while it runs, over HTTP on loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import mcp_types as types
import uvicorn
from mcp.server import Server

import agent_gateway as ag

PATH_SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}


def declared(name: str, description: str = "Reads a file.", **fields: Any) -> types.Tool:
    """A tool that takes a path."""
    return types.Tool(name=name, description=description, **{"input_schema": PATH_SCHEMA, **fields})


class ChangingServer:
    """Lists what is in `tools`, and answers a call with `answer`; `calls` are those that arrived."""

    def __init__(self, *tools: types.Tool) -> None:
        self.tools = list(tools)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.listings = 0
        self.seconds = 0.0
        self.answer = types.CallToolResult(content=[types.TextContent(text="the answer")])
        self.error: Exception | None = None
        self.page_size = 100

    def server(self) -> Server[Any]:
        """The server of the SDK."""
        return Server("changing", on_list_tools=self._list, on_call_tool=self._call)

    async def _list(self, context: Any, params: Any) -> types.ListToolsResult:
        self.listings += 1
        begin = int(params.cursor or 0) if params else 0
        end = begin + self.page_size
        return types.ListToolsResult(
            tools=self.tools[begin:end],
            next_cursor=str(end) if end < len(self.tools) else None,
            ttl_ms=3_600_000,  # a client that believes this never sees a change
        )

    async def _call(self, context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        self.calls.append((params.name, params.arguments or {}))
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return self.answer


App = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]


@asynccontextmanager
async def serving(made: ChangingServer, port: int = 0, *, token: str = "", **options: Any) -> AsyncIterator[str]:
    """Serve at /mcp until the block is left; whoever calls must show the token, if there is one."""
    served: App = made.server().streamable_http_app(host="127.0.0.1", **options)

    async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", ()))
        if scope["type"] == "http" and token and headers.get(b"authorization") != f"Bearer {token}".encode():
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await served(scope, receive, send)

    with socket.create_server(("127.0.0.1", port)) as listening:
        config = uvicorn.Config(app, log_level="error", lifespan="on", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        finally:
            server.should_exit = True
            await task


async def fails_with(work: Awaitable[Any]) -> ag.GatewayError:
    """The error that something raises."""
    try:
        found = await work
    except ag.GatewayError as error:
        return error
    raise AssertionError(f"it gave {found!r}")
