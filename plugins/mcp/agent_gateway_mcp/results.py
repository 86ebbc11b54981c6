"""A tool's result as text. What is no text is named, and not shown."""

from __future__ import annotations

import json
from typing import Any

import agent_gateway as ag

from .untrusted import clean_line

_LONGEST_ERROR = 2000


def show_result(server: str, tool: str, result: Any) -> str:
    """The text of a result, and its structured content where the text is not that; `GatewayError` for an error."""
    parts = [_show(each) for each in result.content]
    text = "\n".join(part for part in parts if part)
    if result.is_error:
        detail = (
            f"'{tool}' of the MCP server '{server}' failed: {ag.redact(text)[:_LONGEST_ERROR] or 'it does not say why'}"
        )
        raise ag.GatewayError(detail, code="mcp_tool_failed")
    structured = result.structured_content
    if structured is not None and not any(_is_json_of(part, structured) for part in parts):
        text = "\n".join(filter(None, [text, json.dumps(structured, ensure_ascii=False)]))
    return text or "(it returned nothing)"


def _show(content: Any) -> str:
    if content.type == "text":
        return str(content.text)
    if content.type in {"image", "audio"}:
        size = len(content.data) * 3 // 4
        return f"[{content.type}, {clean_line(content.mime_type, 60)}, {size} bytes: not shown]"
    if content.type == "resource_link":
        return f"[resource {clean_line(content.name, 100)}, {clean_line(str(content.uri))}: not read]"
    resource = content.resource
    kind = clean_line(resource.mime_type or "of an unknown kind", 60)
    return f"[resource {clean_line(str(resource.uri))}, {kind}: not shown]"


def _is_json_of(text: str, structured: Any) -> bool:
    try:
        return bool(json.loads(text) == structured)
    except (ValueError, RecursionError):
        return False
