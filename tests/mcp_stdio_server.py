"""An MCP server over stdio: a process of its own, to be started with the path of its tool's description."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import anyio
import mcp_types as types
from mcp.server import Server
from mcp.server.stdio import stdio_server

SCHEMA = {"type": "object", "properties": {"do": {"enum": ["tell", "die", "wait"]}}, "required": ["do"]}


async def list_tools(context: Any, params: Any) -> types.ListToolsResult:
    """One tool, described by the file."""
    description = await anyio.Path(sys.argv[1]).read_text(encoding="utf-8")
    return types.ListToolsResult(tools=[types.Tool(name="tell", description=description, input_schema=SCHEMA)])


async def call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
    """Tell of the process, or end it."""
    asked = (params.arguments or {})["do"]
    if asked == "die":
        os._exit(3)
    if asked == "wait":
        time.sleep(60)  # noqa: ASYNC251 - it is to hang, whatever it is sent
    told = {"pid": os.getpid(), "environment": sorted(os.environ)}
    return types.CallToolResult(content=[types.TextContent(text=json.dumps(told))])


async def main() -> None:
    """Serve until stdin ends."""
    server: Server[Any] = Server("stdio", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (reader, writer):
        await server.run(reader, writer, server.create_initialization_options())


if __name__ == "__main__":
    anyio.run(main)
