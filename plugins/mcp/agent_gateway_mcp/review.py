"""What an operator does with the tools of servers: look at what they are now, and accept them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator

import agent_gateway as ag

from .accepted import Declaration, accept, read_accepted, write_accepted
from .arguments import schema_fault
from .connection import connect, sdk_errors, tell
from .listing import Compared, compare, list_tools
from .settings import McpSettings
from .tools import check_names, tool_name
from .untrusted import clean_line, clean_text


async def look(settings: McpSettings, server: str) -> dict[str, Declaration]:
    """The tools that a server declares now; `GatewayError` when it does not say."""
    found = settings.servers.get(server)
    if found is None:
        hint = f"there are: {', '.join(settings.servers)}" if settings.servers else "set plugins.mcp.servers"
        raise ag.NotFound(f"no MCP server '{server[:60]}' is configured", hint=hint)
    try:
        async with asyncio.timeout(found.timeout_seconds), connect(server, found) as connected:
            try:
                return await list_tools(server, connected.client)
            except sdk_errors() as error:
                raise tell(server, error, connected.noted) from None
    except TimeoutError as error:
        raise tell(server, error) from None


async def compare_server(settings: McpSettings, server: str) -> list[Compared]:
    """Every tool of a server, as it is now and as it was accepted."""
    accepted = read_accepted(settings.accepted_file)
    return compare(await look(settings, server), accepted.get(server, {}))


def tell_comparison(server: str, compared: Collection[Compared]) -> Iterator[str]:
    """Lines about each tool: its state, its name here, whether it reads or writes, and its description now."""
    for each in compared:
        name = tool_name(server, each.name)
        effect = f" ({'reads' if each.accepted.read else 'writes'})" if each.accepted is not None else ""
        differences = f": {', '.join(each.differences)}" if each.differences else ""
        own = f", there '{clean_line(each.name, 100)}'" if name != f"{server}_{each.name}" else ""
        yield f"  {each.state:<9} {name}{effect}{own}{differences}"
        if each.declared is not None and each.state != "accepted":
            yield f"            {clean_line(each.declared.description) or 'It has no description.'}"


async def accept_tools(settings: McpSettings, server: str, names: Collection[str], read: Collection[str]) -> list[str]:
    """Accept tools of a server as they are now, all of them when none is named; returns lines about what was done.

    A tool that is gone is forgotten. `NotFound` and `InvalidInput` say why nothing was stored.
    """
    declared = await look(settings, server)
    before = read_accepted(settings.accepted_file, renewed=server)
    chosen = {*names, *read} or {*declared, *before.get(server, {})}
    known = {*declared, *before.get(server, {})}
    if missing := sorted(chosen - known):
        hint = f"there are: {', '.join(clean_line(each, 80) for each in sorted(declared))}"
        raise ag.NotFound(f"the MCP server '{server}' has no tool {', '.join(missing)[:200]}", hint=hint)
    if gone := sorted({*read} - declared.keys()):
        raise ag.NotFound(f"the MCP server '{server}' has no tool {', '.join(gone)[:200]} any more")
    faults = {name: schema_fault(declared[name].input_schema) for name in sorted(chosen & declared.keys())}
    for name in [*names, *read]:
        if faults.get(name):
            raise ag.InvalidInput(f"'{clean_line(name, 100)}' cannot be accepted: {clean_line(faults[name])}")
    taken = {name: accept(declared[name], read=name in read) for name, fault in faults.items() if not fault}
    kept = {name: tool for name, tool in before.get(server, {}).items() if name not in chosen}
    after = {**before, server: {**kept, **taken}}
    check_names({name: tools for name, tools in after.items() if name in settings.servers})
    write_accepted(settings.accepted_file, after)
    return list(_tell_accepted(server, declared, faults, sorted(chosen), read))


def _tell_accepted(
    server: str,
    declared: dict[str, Declaration],
    faults: dict[str, str],
    chosen: Collection[str],
    read: Collection[str],
) -> Iterator[str]:
    for name in chosen:
        shown = tool_name(server, name)
        if name not in declared:
            yield f"forgotten {shown}: it is gone"
        elif faults[name]:
            yield f"left out  {shown}: {clean_line(faults[name])}"
        else:
            idempotent = declared[name].annotations.get("idempotentHint") is True and name not in read
            again = ", may be repeated: it says that twice is as once" if idempotent else ""
            yield f"accepted  {shown} ({'reads' if name in read else 'writes'}{again})"
            yield from (f"            {line}" for line in clean_text(declared[name].description).splitlines())
