"""`/v1/tools`: what a persona can do, and what it asks about."""

from __future__ import annotations

from litestar import get

from agent_gateway.api.documentation import READERS, Endpoint, described
from agent_gateway.api.replies import Sendable, reply
from agent_gateway.api.requests import Call, edge_of, persona_of
from agent_gateway.api.shapes import ToolList, ToolView
from agent_gateway.persona import Persona
from agent_gateway.tool import Tool

_LIST = Endpoint(summary="List tools", reply=ToolList, roles=READERS)


@get("/v1/tools", opt=described(get=_LIST))
async def list_tools(request: Call) -> Sendable:
    """List the persona's tools with their schemas."""
    persona, tools = persona_of(request), edge_of(request).tools
    shown = tuple(view_of(tools[name], persona) for name in persona.tools if name in tools)
    return reply(ToolList(tools=shown))


def view_of(tool: Tool, persona: Persona) -> ToolView:
    """Show a tool as a persona has it."""
    effect = tool.effect if isinstance(tool.effect, str) else "depends"
    return ToolView(
        name=tool.name,
        description=tool.description,
        parameters=dict(tool.parameters),
        effect=effect,
        writes=persona.writes_of(tool),
        intents=tool.intents,
        timeout_seconds=tool.timeout_seconds,
        output_limit=tool.output_limit,
        previews=tool.preview is not None,
        verifies=tool.verify is not None,
        idempotent=tool.idempotent,
    )
