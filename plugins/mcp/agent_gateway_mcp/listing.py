"""The tools of a server as it declares them now, and how they compare with what was accepted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

import agent_gateway as ag

from .accepted import ACCEPT, LIST, AcceptedTool, Declaration
from .untrusted import name_fault

if TYPE_CHECKING:
    from mcp import Client

State: TypeAlias = Literal["accepted", "new", "changed", "gone"]
_MOST_PAGES = 50
_MOST_TOOLS = 1000
_RENEW = f"see what it is now with `{LIST}`, and accept it with `{ACCEPT} {{server}} {{name}}`"


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A tool with its state; `differences` are the parts that were accepted otherwise."""

    name: str
    state: State
    declared: Declaration | None = None
    accepted: AcceptedTool | None = None
    differences: tuple[str, ...] = ()


async def list_tools(server: str, client: Client) -> dict[str, Declaration]:
    """Every tool by name; `Unavailable` when there are too many, or when names are used twice or hide something."""
    found: dict[str, Declaration] = {}
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        for tool in page.tools:
            if fault := name_fault(tool.name):
                raise ag.Unavailable(f"the MCP server '{server}' {fault}", code="mcp_listing")
            if tool.name in found or len(found) >= _MOST_TOOLS:
                what = f"two tools '{tool.name[:80]}'" if tool.name in found else f"more than {_MOST_TOOLS} tools"
                raise ag.Unavailable(f"the MCP server '{server}' lists {what}", code="mcp_listing")
            found[tool.name] = declare(tool)
        cursor = page.next_cursor
        if not cursor:
            return found
    raise ag.Unavailable(f"the list of the MCP server '{server}' does not end", code="mcp_listing")


def declare(tool: Any) -> Declaration:
    """What the SDK read of a tool."""
    annotations = tool.annotations
    return Declaration(
        name=tool.name,
        title=tool.title or "",
        description=tool.description or "",
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        annotations=annotations.model_dump(mode="json", by_alias=True, exclude_none=True) if annotations else {},
    )


def compare(declared: Mapping[str, Declaration], accepted: Mapping[str, AcceptedTool]) -> list[Compared]:
    """Every tool that is declared or was accepted, by name."""
    return [compare_one(name, declared.get(name), accepted.get(name)) for name in sorted({*declared, *accepted})]


def compare_one(name: str, declared: Declaration | None, accepted: AcceptedTool | None) -> Compared:
    """The state of one tool."""
    if accepted is None or declared is None:
        state: State = "new" if accepted is None else "gone"
        return Compared(name=name, state=state, declared=declared, accepted=accepted)
    if declared.sha256() == accepted.sha256:
        return Compared(name=name, state="accepted", declared=declared, accepted=accepted)
    differences = tuple(accepted.declared(name).differences(declared))
    return Compared(name=name, state="changed", declared=declared, accepted=accepted, differences=differences)


def require_accepted(server: str, name: str, declared: Mapping[str, Declaration], accepted: AcceptedTool) -> None:
    """`Unavailable` unless a tool is, to the last character, what was accepted."""
    found = compare_one(name, declared.get(name), accepted)
    if found.state == "accepted":
        return
    what = "is gone" if found.state == "gone" else f"has changed since it was accepted ({', '.join(found.differences)})"
    raise ag.Unavailable(
        f"the tool '{name}' of the MCP server '{server}' {what}: it is disabled",
        code="mcp_changed",
        hint=_RENEW.format(server=server, name=name) if found.state == "changed" else f"see `{LIST}` and `{ACCEPT}`",
    )
