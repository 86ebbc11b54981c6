"""Servers as they may be written, and what is refused with a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from plugins.mcp.agent_gateway_mcp.settings import McpSettings, ServerSettings
from pydantic import ValidationError

import agent_gateway as ag

URL = "https://mcp.example.org/mcp"


@pytest.mark.parametrize("key", ["servers", "mcpServers"])
def test_servers_have_both_names(key: str) -> None:
    found = McpSettings.model_validate({key: {"files": {"command": "serve-files", "args": ["x"], "env": ["TOKEN"]}}})
    assert found.servers["files"] == ServerSettings(command="serve-files", args=["x"], env=["TOKEN"])


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ({}, "either a url or a command"),
        ({"url": URL, "command": "x"}, "either a url or a command"),
        ({"url": "ftp://x"}, "must begin with http"),
        ({"url": "https://me:secret@x.org"}, "no user or password"),
        ({"url": URL, "env": ["A"]}, "belong to a command"),
        ({"command": "x", "token_env": "A"}, "belong to a url"),
        ({"command": "A=b"}, "without ="),
        ({"command": "x", "env": {"TOKEN": "secret"}}, "list of names of variables"),
        ({"command": "x", "env": ["TOKEN=secret"]}, "no values"),
        ({"url": URL, "headers_env": {"X-Key": "not a name"}}, "name a variable"),
    ],
)
def test_what_cannot_be_a_server_is_refused(server: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        McpSettings.model_validate({"servers": {"files": server}})


def test_names_and_maps_are_checked() -> None:
    with pytest.raises(ValidationError, match="no name of a server"):
        McpSettings.model_validate({"servers": {"a b": {"url": URL}}})
    with pytest.raises(ValidationError, match="keep one of them"):
        McpSettings.model_validate({"servers": {}, "mcpServers": {}})


def test_credentials_are_read_from_the_environment_when_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ServerSettings(url=f"{URL}?key=1", token_env="A_TOKEN", headers_env={"X-Key": "A_KEY"})
    monkeypatch.setenv("A_TOKEN", "hunter2")
    with pytest.raises(ag.Unavailable, match="A_KEY holds no secret"):
        server.headers()
    monkeypatch.setenv("A_KEY", "hunter3")
    assert server.headers() == {"authorization": "Bearer hunter2", "X-Key": "hunter3"}
    assert server.told == URL
    monkeypatch.setenv("A_KEY", "hunter\n3")
    with pytest.raises(ag.Unavailable, match="cannot be sent"):
        server.headers()
