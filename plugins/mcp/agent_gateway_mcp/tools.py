"""The accepted tools as tools of the gateway. Nothing is connected to make them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import agent_gateway as ag

from .accepted import ACCEPT, Accepted, AcceptedTool, read_accepted
from .arguments import arguments_type, given_arguments, shape_fault
from .results import show_result
from .sessions import Session
from .settings import McpSettings
from .untrusted import clean_line, clean_schema, clean_text, name_fault

_LONGEST_NAME = 63
_LONGEST_ARGUMENTS = 1000
#: For what is done around a call.
_MARGIN = 2.0


def tool_name(server: str, tool: str) -> str:
    """The name of a tool in the gateway: lowercase letters, digits and underscores, at most 63 of them."""
    name = re.sub(r"[^a-z0-9_]", "_", f"{server}_{tool}".lower())
    if not name[0].isalpha():
        name = f"mcp_{name}"
    if len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(f"{server}\0{tool}".encode()).hexdigest()[:8]
    return f"{name[: _LONGEST_NAME - 9]}_{digest}"


def check_names(accepted: Accepted) -> None:
    """`InvalidInput` when two tools would have one name."""
    taken: dict[str, str] = {}
    for server, tools in accepted.items():
        for tool in tools:
            name, place = tool_name(server, tool), f"'{tool}' of '{server}'"
            if name in taken:
                hint = "rename a server, or accept only one of them"
                raise ag.InvalidInput(f"{taken[name]} and {place} would both be called '{name}'", hint=hint)
            taken[name] = place


def accepted_tools(settings: McpSettings, sessions: Mapping[str, Session]) -> list[ag.Tool]:
    """One tool per accepted tool of a configured server; `InvalidInput` when the file or a name does not serve."""
    accepted = read_accepted(settings.accepted_file)
    used = {server: accepted[server] for server in settings.servers if server in accepted}
    check_names(used)
    return [
        RemoteTool(server, name, tool, sessions[server]).as_tool(settings.servers[server].timeout_seconds + _MARGIN)
        for server, tools in used.items()
        for name, tool in sorted(tools.items())
    ]


class RemoteTool:
    """A tool that was accepted, and where it is called."""

    def __init__(self, server: str, name: str, accepted: AcceptedTool, session: Session) -> None:
        self._server = server
        self._name = name
        self._accepted = accepted
        self._session = session

    def as_tool(self, seconds: float) -> ag.Tool:
        """The tool; its description and schema are those of the file, without what is not seen."""
        schema, name = self._accepted.input_schema, tool_name(self._server, self._name)
        if fault := name_fault(self._name) or shape_fault(schema):
            hint = f"accept it again: `{ACCEPT} {self._server}`"
            raise ag.InvalidInput(f"'{clean_line(self._name, 100)}' of '{self._server}': {fault}", hint=hint)
        annotations = self._accepted.annotations
        own = clean_text(self._accepted.description) or clean_line(self._accepted.title)
        return ag.Tool(
            name=name,
            description=own or f"The tool {clean_line(self._name, 100)} of the MCP server {self._server}.",
            run=self._run,
            arguments=arguments_type(name, schema),
            parameters=clean_schema(schema),
            effect="read" if self._accepted.read else "write",
            preview=None if self._accepted.read else self._preview,
            timeout_seconds=seconds,
            idempotent=annotations.get("idempotentHint") is True,
        )

    async def _run(self, /, warrant: ag.Warrant | None = None, **arguments: Any) -> str:
        if warrant is not None and self._target() not in warrant.targets:
            hint = "ask for it again"
            raise ag.Conflict(f"'{self._name}' is not the tool any more that the approval is for", hint=hint)
        given = given_arguments(self._accepted.input_schema, arguments)
        return show_result(self._server, self._name, await self._session.call(self._name, self._accepted, given))

    async def _preview(self, /, **arguments: Any) -> ag.Preview:
        await self._session.check(self._name, self._accepted)
        given = json.dumps(given_arguments(self._accepted.input_schema, arguments), ensure_ascii=False)
        shown = ag.show_unseen(ag.redact(given))
        cut = "" if len(shown) <= _LONGEST_ARGUMENTS else f"... ({len(shown)} characters: see the arguments)"
        called = f"'{clean_line(self._name, 100)}' of the MCP server '{self._server}'"
        return ag.Preview(summary=f"Call {called} with {shown[:_LONGEST_ARGUMENTS]}{cut}", targets=(self._target(),))

    def _target(self) -> ag.Target:
        """The tool, in the state in which it was accepted."""
        return ag.Target(name=f"mcp:{self._server}/{self._name}", version=self._accepted.sha256)
