"""Text is shown, everything else is named, and an error is one."""

from __future__ import annotations

from typing import Any

import mcp_types as types
import pytest
from plugins.mcp.agent_gateway_mcp.results import show_result

import agent_gateway as ag


def show(*content: Any, **fields: Any) -> str:
    return show_result("files", "read", types.CallToolResult(content=list(content), **fields))


TEXT = types.TextContent(text="two\nlines")


def test_text_is_shown_as_it_is() -> None:
    assert show(TEXT, types.TextContent(text="more")) == "two\nlines\nmore"
    assert show() == "(it returned nothing)"


def test_structured_content_is_shown_where_the_text_is_not_that() -> None:
    assert show(TEXT, structured_content={"a": "é"}) == 'two\nlines\n{"a": "é"}'
    assert show(types.TextContent(text='{ "a": 1 }'), structured_content={"a": 1}) == '{ "a": 1 }'
    assert show(structured_content={}) == "{}"


def test_what_is_no_text_is_named() -> None:
    resource = types.TextResourceContents(uri="file:///x\u200b", mime_type="text/plain", text="secret")
    shown = show(
        types.ImageContent(data="QUJD" * 10, mime_type="image/png"),
        types.AudioContent(data="QUJD", mime_type="audio/wav\x1b[2J"),
        types.ResourceLink(name="a\nlink", uri="https://example.org/x"),
        types.EmbeddedResource(resource=resource),
    )
    assert shown.splitlines() == [
        "[image, image/png, 30 bytes: not shown]",
        "[audio, audio/wav[2J, 3 bytes: not shown]",
        "[resource a link, https://example.org/x: not read]",
        "[resource file:///x, text/plain: not shown]",
    ]


def test_an_error_of_the_tool_is_an_error() -> None:
    with pytest.raises(ag.GatewayError, match="'read' of the MCP server 'files' failed: two\nlines") as caught:
        show(TEXT, is_error=True)
    assert caught.value.code == "mcp_tool_failed"
    with pytest.raises(ag.GatewayError, match="it does not say why"):
        show(is_error=True)
