"""What goes wrong with a server is said in one sentence, and a call is never made twice."""

from __future__ import annotations

import time
from typing import Any

import mcp_types as types
import pytest
from mcp import MCPError
from plugins.mcp.agent_gateway_mcp.accepted import accept
from plugins.mcp.agent_gateway_mcp.listing import declare
from plugins.mcp.agent_gateway_mcp.sessions import Session
from plugins.mcp.agent_gateway_mcp.settings import ServerSettings
from tests.mcp_servers import ChangingServer, declared, fails_with, serving

import agent_gateway as ag

READ = declared("read", output_schema={"type": "object", "required": ["size"]})
ACCEPTED = accept(declare(READ), read=True)
KINDS = [{"stateless_http": True, "json_response": True}, {}]
kinds = pytest.mark.parametrize("options", KINDS, ids=["stateless", "stateful"])


async def call(url: str, **server: Any) -> ag.GatewayError:
    session = Session("files", ServerSettings(url=url, **server))
    try:
        return await fails_with(session.call("read", ACCEPTED, {"path": "/x"}))
    finally:
        await session.close()


@kinds
async def test_an_answer_that_takes_too_long_is_not_waited_for_and_not_asked_for_again(options: dict[str, Any]) -> None:
    made = ChangingServer(READ)
    made.seconds = 5
    async with serving(made, **options) as url:
        error = await call(url, timeout_seconds=1)
    assert (error.code, error.detail) == ("mcp_timeout", "the MCP server 'files' did not answer in time")
    assert len(made.calls) == 1


@kinds
async def test_an_answer_that_is_too_large_is_not_read(options: dict[str, Any]) -> None:
    made = ChangingServer(READ)
    made.answer = types.CallToolResult(content=[types.TextContent(text="x" * 20_000)])
    async with serving(made, **options) as url:
        error = await call(url, response_bytes=10_000)
    assert (type(error), error.code) == (ag.InvalidInput, "mcp_too_large")
    assert len(made.calls) == 1


@kinds
async def test_only_who_shows_the_token_may_call(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIGHT", "hunter2")
    monkeypatch.setenv("WRONG", "hunter3")
    made = ChangingServer(READ)
    made.answer = types.CallToolResult(content=[], structured_content={"size": 1})
    async with serving(made, token="hunter2", **options) as url:
        right = Session("files", ServerSettings(url=url, token_env="RIGHT"))
        assert (await right.call("read", ACCEPTED, {"path": "/x"})).structured_content == {"size": 1}
        await right.close()
        for wrong in ({}, {"token_env": "WRONG"}):
            error = await call(url, **wrong)
            assert error.detail == "the MCP server 'files' refuses the credentials (401)"
            assert "hunter" not in str(error)
            assert "plugins.mcp.servers.files" in error.hint
        assert "UNSET holds no secret" in str(await call(url, token_env="UNSET"))
    assert len(made.calls) == 1


@kinds
@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        (types.INVALID_PARAMS, ag.InvalidInput, "refuses it: no such path"),
        (types.INTERNAL_ERROR, ag.Unavailable, "failed: no such path"),
        (types.HEADER_MISMATCH, ag.Unavailable, "failed with 400: no such path"),
    ],
)
async def test_an_error_of_the_protocol_is_told(
    options: dict[str, Any], code: int, kind: type[ag.GatewayError], said: str
) -> None:
    made = ChangingServer(READ)
    made.error = MCPError(code, "no such path\x1b[31m")
    async with serving(made, **options) as url:
        error = await call(url)
    assert type(error) is kind
    assert said in error.detail
    assert "\x1b" not in error.detail
    assert len(made.calls) == 1


async def test_a_result_of_another_form_than_accepted_is_refused() -> None:
    made = ChangingServer(READ)
    made.answer = types.CallToolResult(content=[], structured_content={"other": 1})
    async with serving(made) as url:
        error = await call(url)
    assert error.code == "mcp_result"
    assert "'size' is a required property" in error.detail


@pytest.mark.parametrize(
    ("schema", "content", "said"),
    [
        ({"properties": {"size": {"pattern": "^(a+)+$"}}}, {"size": "a" * 40 + "!"}, "does not match"),
        ({"required": ["size"]}, None, "it has no structured content"),
        ({"required": 5}, {"size": 1}, "its schema is none"),
    ],
)
async def test_the_form_of_a_result_is_checked_without_ever_taking_long(
    schema: dict[str, Any], content: dict[str, Any] | None, said: str
) -> None:
    read = declared("read", output_schema={"type": "object", **schema})
    made = ChangingServer(read)
    made.answer = types.CallToolResult(content=[], structured_content=content)
    async with serving(made) as url:
        session = Session("files", ServerSettings(url=url))
        begun = time.perf_counter()
        error = await fails_with(session.call("read", accept(declare(read), read=True), {"path": "/x"}))
        await session.close()
    assert time.perf_counter() - begun < 10
    assert error.code == "mcp_result"
    assert said in error.detail


async def test_a_server_that_is_not_there_or_none_of_mcp_is_said_to_be_so() -> None:
    assert (await call("http://127.0.0.1:1/mcp")).code == "mcp_unreachable"
    async with serving(ChangingServer(READ)) as url:
        error = await call(url.replace("/mcp", "/elsewhere"))
    assert "failed with 404: Not Found" in error.detail
