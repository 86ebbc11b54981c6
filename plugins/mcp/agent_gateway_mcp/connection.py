"""A connection to a server by the SDK, and what its many errors mean."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import agent_gateway as ag

from .settings import ServerSettings
from .untrusted import clean_line

if TYPE_CHECKING:
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters
    from mcp_types import CallToolResult

    from .web_client import Noted

#: The code of JSON-RPC for arguments that are wrong.
_INVALID_PARAMS = -32602
#: What every command is given of the environment.
_GIVEN = frozenset({"PATH", "HOME"})


@dataclass(frozen=True)
class Connected:
    """An open connection; `noted` is what is known of its HTTP answers."""

    client: Client
    noted: Noted | None = None


@asynccontextmanager
async def connect(name: str, server: ServerSettings) -> AsyncIterator[Connected]:
    """Connect, or start the command, until the block is left; `GatewayError` whatever goes wrong.

    To be entered and left by one task. An error within the block that is none of the SDK's is let through.
    """
    # Half a second of work the first time, and others want to be served meanwhile.
    mcp = await asyncio.to_thread(import_module, "mcp")
    web = await asyncio.to_thread(import_module, f"{__package__}.web_client")
    noted: Noted = web.Noted()
    try:
        if server.command:
            stdio = await asyncio.to_thread(import_module, "mcp.client.stdio")
            transport = stdio.stdio_client(_parameters(server), errlog=sys.__stderr__ or sys.stderr)
            async with _client(mcp, transport) as client:
                _leave_results(client)
                yield Connected(client)
        else:
            http = await asyncio.to_thread(import_module, "mcp.client.streamable_http")
            async with web.make_web_client(server, noted) as web_client:
                transport = http.streamable_http_client(server.url, http_client=web_client)
                async with _client(mcp, transport) as client:
                    _leave_results(client)
                    yield Connected(client, noted)
    except sdk_errors() as error:
        raise tell(name, error, None if server.command else noted) from None


def sdk_errors() -> tuple[type[Exception], ...]:
    """What the SDK raises for whatever goes wrong with a server."""
    import anyio  # noqa: PLC0415 - it takes a while
    import mcp  # noqa: PLC0415 - as above

    return ExceptionGroup, mcp.MCPError, anyio.ClosedResourceError, anyio.BrokenResourceError, OSError, ValueError


def tell(name: str, error: BaseException, noted: Noted | None = None) -> ag.GatewayError:
    """The one error that an error of the SDK, or a group of groups of them, is about."""
    found = error
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    if isinstance(found, ag.GatewayError):
        return found
    if isinstance(found, TimeoutError):
        return ag.Unavailable(f"the MCP server '{name}' did not answer in time", code="mcp_timeout")
    if noted is not None and noted.too_large:
        hint = "ask for less, or see response_bytes"
        return ag.InvalidInput(f"the answer of the MCP server '{name}' is too large", code="mcp_too_large", hint=hint)
    if noted is not None and noted.status in {401, 403}:
        hint = f"see token_env or headers_env of plugins.mcp.servers.{name}"
        detail = f"the MCP server '{name}' refuses the credentials ({noted.status})"
        return ag.Unavailable(detail, code="mcp_credentials", hint=hint)
    if noted is not None and not noted.answered:
        hint = f"is plugins.mcp.servers.{name}.url its address?"
        return ag.Unavailable(f"the MCP server '{name}' cannot be reached", code="mcp_unreachable", hint=hint)
    if getattr(getattr(found, "error", None), "code", 0) == _INVALID_PARAMS:
        return ag.InvalidInput(f"the MCP server '{name}' refuses it: {clean_line(str(found))}", code="mcp_refused")
    status = f" with {noted.status}" if noted is not None and noted.status else ""
    said = clean_line(str(found)) or type(found).__name__
    return ag.Unavailable(f"the MCP server '{name}' failed{status}: {said}", code="mcp_failed")


def _client(mcp: Any, transport: Any) -> Any:
    # Without its cache: whether a tool is still the accepted one is asked of the server each time.
    return mcp.Client(transport, cache=None)


def _leave_results(client: Client) -> None:
    """Results are checked by whoever calls: the SDK would, by the server's own patterns, and may never come back."""

    async def leave(name: str, result: CallToolResult) -> None:
        return None

    client.session.validate_tool_result = leave  # type: ignore[method-assign]  # there is no option for it


def _parameters(server: ServerSettings) -> StdioServerParameters:
    """How to start the command with nothing of the environment but PATH, HOME, and what the settings name."""
    from mcp.client.stdio import DEFAULT_INHERITED_ENV_VARS, StdioServerParameters  # noqa: PLC0415 - it takes a while

    command, env = shutil.which(server.command), shutil.which("env")
    if command is None or env is None:
        detail = f"there is no command '{server.command if command is None else 'env'}'"
        raise ag.Unavailable(detail, code="mcp_unreachable", hint="is it installed, and on the PATH of the gateway?")
    missing = [name for name in server.env if name not in os.environ]
    if missing:
        raise ag.Unavailable(f"the environment has no variable {', '.join(missing)}", code="mcp_credentials")
    given = {name: os.environ[name] for name in server.env}
    # The SDK hands on a few more, and can only add to them.
    removed = [name for name in DEFAULT_INHERITED_ENV_VARS if name not in _GIVEN and name not in given]
    return StdioServerParameters(
        command=env,
        args=[*(part for name in removed for part in ("-u", name)), "--", command, *server.args],
        env=given,
    )
