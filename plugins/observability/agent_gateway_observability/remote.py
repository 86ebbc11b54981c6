"""The three tools of an MCP server: called there instead of here, once it is sure that they are the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec

import agent_gateway as ag

from .connection import show_message, trust
from .settings import ObservabilitySettings, ServerSettings, read_secret
from .tool_wire import difference, unpack_error

if TYPE_CHECKING:
    import httpx2
    from mcp import Client

_WHERE = "is plugins.observability.mcp its address, with /mcp at the end?"
_HINT = "run the same version there: agent-gateway mcp-observability"
#: For the way there and back.
_WAY = 3.0


class RemoteTools:
    """The MCP server of the settings."""

    def __init__(self, settings: ObservabilitySettings, server: ServerSettings) -> None:
        self._server = server
        self._token_variable = settings.mcp_token_env

    def tools(self, own: Sequence[ag.Tool]) -> list[ag.Tool]:
        """The tools as they are here, but for who runs them."""
        return [
            msgspec.structs.replace(each, run=partial(self.call, each), timeout_seconds=each.timeout_seconds + _WAY)
            for each in own
        ]

    async def call(self, tool: ag.Tool, /, **arguments: Any) -> str:
        """What the server's tool answers, or the error it gives; `Unavailable` when it is another tool."""
        async with self._connected(tool.timeout_seconds + _WAY) as client:
            await _check(client, [tool])
            result = await client.call_tool(tool.name, arguments)
        text = "\n".join(each.text for each in result.content if each.type == "text")
        if result.is_error:
            raise unpack_error(result.structured_content, show_message(text))
        return text

    async def look(self, own: Sequence[ag.Tool]) -> str:
        """Ask for the tools, and say that they are the same."""
        async with self._connected(_WAY) as client:
            await _check(client, own)
        return f"has the same {len(own)} tools"

    @asynccontextmanager
    async def _connected(self, seconds: float) -> AsyncIterator[Client]:
        # Half a second of work the first time, and others want to be served meanwhile.
        mcp = await asyncio.to_thread(import_module, "mcp")
        http = await asyncio.to_thread(import_module, "mcp.client.streamable_http")
        statuses: list[int] = []
        try:
            async with asyncio.timeout(seconds), self._http_client(seconds, statuses) as client:
                transport = http.streamable_http_client(self._server.url, http_client=client)
                async with mcp.Client(transport) as connected:
                    yield connected
        except TimeoutError:
            raise ag.Unavailable(f"the MCP server did not answer within {seconds:g} s", code="server_timeout") from None
        except (ExceptionGroup, mcp.MCPError) as error:
            raise _tell(error, statuses) from None

    def _http_client(self, seconds: float, statuses: list[int]) -> httpx2.AsyncClient:
        """A client with the credentials; `statuses` gets those of answers, which the SDK keeps to itself."""
        import httpx2  # noqa: PLC0415 - plugins are also loaded to be listed, and this takes a while

        async def note(response: httpx2.Response) -> None:
            statuses.append(response.status_code)

        server = self._server
        token = server.token() or ("" if server.username else read_secret(self._token_variable, None))
        return httpx2.AsyncClient(
            headers={**server.headers, **({"authorization": f"Bearer {token}"} if token else {})},
            auth=(server.username, server.password()) if server.username else None,
            verify=trust(server),
            trust_env=False,
            timeout=seconds,
            event_hooks={"response": [note]},
        )


async def _check(client: Client, own: Sequence[ag.Tool]) -> None:
    listed = {each.name: each for each in (await client.list_tools()).tools}
    for tool in own:
        theirs = listed.get(tool.name)
        if theirs is None:
            raise ag.Unavailable(f"the MCP server has no tool '{tool.name}'", code="mcp_differs", hint=_HINT)
        found = difference(tool, theirs.description or "", theirs.input_schema)
        if found:
            detail = f"the MCP server's '{tool.name}' is another one: {found}"
            raise ag.Unavailable(detail, code="mcp_differs", hint=_HINT)


def _tell(error: BaseException, statuses: Sequence[int]) -> ag.GatewayError:
    """The one error that an error of the SDK, or a group of groups of them, is about."""
    found = error
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    if isinstance(found, ag.GatewayError):
        return found
    status = next((each for each in statuses if each >= 400), 0)
    if status in {401, 403}:
        hint = "see plugins.observability.mcp_token_env, or the token of plugins.observability.mcp"
        return ag.Unavailable(
            f"the MCP server refuses the credentials ({status})", code="server_credentials", hint=hint
        )
    if not statuses:
        return ag.Unavailable("the MCP server cannot be reached", code="server_unreachable", hint=_WHERE)
    said = f"with {status}" if status else f"otherwise than expected: {show_message(str(found))}"
    return ag.Unavailable(f"the MCP server answered {said}", code="server_failed", hint=_WHERE)
