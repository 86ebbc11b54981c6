"""What plugins' settings name is read, so that it is hidden before a plugin uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from agent_gateway.registry import held_secrets


class Server(BaseModel):
    """A server, as a plugin's settings have it."""

    url: str = ""
    token_env: str = ""
    headers_env: dict[str, str] = {}
    token_file: Path | None = None
    ca_file: Path | None = None


class Settings(BaseModel):
    """Servers by name, in a list, and alone."""

    named: dict[str, Server] = {}
    listed: list[Server] = []
    one: Server | None = None
    mcp_token_env: str = ""


def found(settings: Settings) -> list[str]:
    return sorted(held_secrets({"plugin": settings}))


def test_variables_are_read_wherever_they_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "ABCDE":
        monkeypatch.setenv(name, f"value of {name}")
    settings = Settings(
        named={"x": Server(token_env="A")},
        listed=[Server(headers_env={"X-Key": "B", "X-Other": "C"})],
        one=Server(token_env="D"),
        mcp_token_env="E",
    )
    assert found(settings) == [f"value of {name}" for name in "ABCDE"]


def test_files_of_tokens_are_read_and_those_of_certificates_are_not(tmp_path: Path) -> None:
    for name in ("token", "ca"):
        (tmp_path / name).write_text(name * 10)
    server = Server(token_file=tmp_path / "token", ca_file=tmp_path / "ca")
    assert found(Settings(one=server)) == ["token" * 10]


def test_what_is_not_there_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "large").write_text("x" * 30_000)
    (tmp_path / "raw").write_bytes(b"\xff\xfe")
    files = [Server(token_file=tmp_path / name) for name in ("none", "large", "raw", "")]
    assert found(Settings(listed=files, mcp_token_env="NOT_SET_ANYWHERE")) == []
