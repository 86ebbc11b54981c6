"""Calls of tools, over a connection that is kept while it works and ended when the gateway ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import agent_gateway as ag

from .accepted import AcceptedTool
from .checking import checker, dialect_fault
from .connection import sdk_errors, tell
from .kept_connection import KeptConnection
from .listing import list_tools, require_accepted
from .settings import ServerSettings
from .untrusted import clean_line

if TYPE_CHECKING:
    from mcp_types import CallToolResult

#: Of a call's time, what a connection that was kept may take to list the tools before another is made.
_SHARE = 0.3


class Session:
    """The tools of one server."""

    def __init__(self, name: str, server: ServerSettings) -> None:
        self._name = name
        self._server = server
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening = asyncio.Lock()
        self._kept: KeptConnection | None = None
        self._ending: list[KeptConnection] = []
        #: By tool, the schema of its results, and what checks them.
        self._results: dict[str, tuple[Mapping[str, Any], Callable[[Any], str]]] = {}

    async def call(self, tool: str, accepted: AcceptedTool, arguments: Mapping[str, Any]) -> CallToolResult:
        """What a tool returns; it is called once, if it is what was accepted.

        `InvalidInput` when the server refuses the arguments, another `GatewayError` for all else that goes wrong.
        """
        try:
            async with asyncio.timeout(self._server.timeout_seconds):
                kept = await self._checked(tool, accepted)
                result = await self._send(kept, tool, arguments)
        except TimeoutError as error:
            raise tell(self._name, error) from None
        if accepted.output_schema is not None and not result.is_error:
            self._check_result(tool, accepted.output_schema, result.structured_content)
        return result

    async def check(self, tool: str, accepted: AcceptedTool) -> None:
        """Have the server say that a tool is what was accepted; `GatewayError` when it does not."""
        try:
            async with asyncio.timeout(self._server.timeout_seconds):
                await self._checked(tool, accepted)
        except TimeoutError as error:
            raise tell(self._name, error) from None

    async def close(self) -> None:
        """Close the connection, and end the command behind it."""
        if self._kept is not None:
            self._drop(self._kept)
        ending, self._ending = self._ending, []
        await asyncio.gather(*(each.close() for each in ending))

    def close_from_outside(self) -> Future[None] | None:
        """Have the connection closed by the loop it belongs to; None when there is none."""
        if self._loop is None or not self._loop.is_running():
            return None
        return asyncio.run_coroutine_threadsafe(self.close(), self._loop)

    async def _send(self, kept: KeptConnection, tool: str, arguments: Mapping[str, Any]) -> CallToolResult:
        kept.calls += 1
        try:
            # Below the client, which would call again when a server asks for that.
            return await kept.connected.client.session.call_tool(tool, dict(arguments))
        except sdk_errors() as error:
            raise tell(self._name, error, kept.connected.noted) from None
        except RuntimeError as error:
            # A result that asks for more.
            said = clean_line(str(error))
            raise ag.GatewayError(f"'{tool}' of '{self._name}' answered otherwise: {said}", code="mcp_result") from None
        finally:
            kept.calls -= 1

    def _check_result(self, tool: str, schema: Mapping[str, Any], content: Any) -> None:
        """`GatewayError` for a result that is not of the form that the tool declares."""
        if tool not in self._results or self._results[tool][0] != schema:
            fault = dialect_fault(schema)
            self._results[tool] = schema, (lambda _: f"its schema {fault}") if fault else checker(schema)
        fault = self._results[tool][1](content) if content is not None else "it has no structured content"
        if fault:
            said = clean_line(fault)
            raise ag.GatewayError(f"'{tool}' of '{self._name}' answered otherwise: {said}", code="mcp_result")

    async def _checked(self, tool: str, accepted: AcceptedTool) -> KeptConnection:
        """A connection over which the server has just said that the tool is the accepted one."""
        kept, is_new = await self._open()
        try:
            async with asyncio.timeout(None if is_new or kept.calls else self._server.timeout_seconds * _SHARE):
                declared = await list_tools(self._name, kept.connected.client)
        except sdk_errors() as error:
            if is_new or kept.calls:
                # Others still wait for their answers on it: it may only be busy.
                raise tell(self._name, error, kept.connected.noted) from None
            self._drop(kept)
            return await self._checked(tool, accepted)
        require_accepted(self._name, tool, declared, accepted)
        return kept

    async def _open(self) -> tuple[KeptConnection, bool]:
        """The connection, and whether it was made for this."""
        if self._loop is not asyncio.get_running_loop():
            self._loop, self._opening = asyncio.get_running_loop(), asyncio.Lock()
            self._kept, self._ending = None, []
        async with self._opening:
            if self._kept is not None and not self._kept.over:
                return self._kept, False
            kept = KeptConnection(self._name, self._server)
            await kept.wait_until_open()
            self._kept = kept
            return kept, True

    def _drop(self, kept: KeptConnection) -> None:
        """Have a connection closed, and do not wait: a command that hangs takes seconds to end."""
        if self._kept is kept:
            self._kept = None
        kept.end()
        self._ending = [each for each in self._ending if not each.over and each is not kept] + [kept]
